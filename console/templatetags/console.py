"""Times and money as the console's pages write them. A script keeps the times true (console/stream.js)."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400


@register.filter
def usd(amount: Decimal) -> str:
    """In dollars and cents."""
    return f"${amount:,.2f}"


@register.simple_tag
def ago(moment: datetime, now: datetime) -> SafeString:
    return format_html(
        '<time datetime="{}" data-since>{}</time>', moment.isoformat(), f"{in_short(now - moment, exact=False)} ago"
    )


@register.simple_tag
def left(moment: datetime, now: datetime) -> SafeString:
    return format_html('<time datetime="{}" data-until>{}</time>', moment.isoformat(), in_short(moment - now))


def in_short(span: timedelta, *, exact: bool = True) -> str:
    """`42 s`, `3:07 min` (if not exact `3 min`), `2 h 5 min`, `4 d`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE}:{seconds % MINUTE:02} min" if exact else f"{seconds // MINUTE} min"
    return f"{seconds // HOUR} h {seconds % HOUR // MINUTE} min" if seconds < DAY else f"{seconds // DAY} d"
