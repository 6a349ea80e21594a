"""Template tags for times and money. A script keeps the times current (console/stream.js)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.money import format_dollars
from core import strict_json
from costs.amounts import DECIMALS, DOLLAR_DECIMALS, format_amount
from costs.models import Cost

register = template.Library()
register.filter("as_json", strict_json.text)

MINUTE, HOUR, DAY = 60, 3600, 86_400

_TONES = {
    "good": {"active", "completed", "delivered", "resolved", "sent", "live", "succeeded"},
    "warn": {"blocked", "paused", "pending", "retrying", "expires soon", "unknown"},
    "bad": {"disabled", "failed", "failing", "exceeded"},
}
"""Statuses by the color of their badge; the word says the same."""


@register.filter
def usd(amount: Decimal) -> str:
    """Return dollars and cents."""
    return f"${amount:,.2f}"


@register.filter
def dollars(number: int) -> str:
    """Return an amount of 10^-14 dollars exactly."""
    return format_dollars(format_amount(number, DOLLAR_DECIMALS))


@register.filter
def amount_with_unit(cost: Cost) -> str:
    """Return the amount of a cost exactly: `$4.05`, or `12 requests`."""
    return format_dollars(format_amount(cost.amount, DECIMALS)) if cost.unit == "USD" else f"{number(cost.amount)} {cost.unit}"


@register.filter
def number(amount: int) -> str:
    """Return an amount of trillionths exactly."""
    whole, point, rest = format_amount(amount, DECIMALS).partition(".")
    return f"{int(whole):,}{point}{rest}"


@register.simple_tag(takes_context=True)
def querystring_with(context: Any, without: str = "", **changes: str) -> str:
    """Return the page's query with these changes, without the parameters `without` and that of the script (console.live_admin)."""
    query = context["request"].GET.copy()
    for name in ["panels", *without.split()]:
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    return query.urlencode()


@register.simple_tag
def status(value: str) -> SafeString:
    """Return the status as a badge."""
    tone = next((name for name, values in _TONES.items() if value in values), "plain")
    return format_html('<span class="oi-tag oi-tag-{}">{}</span>', tone, value.capitalize())


@register.simple_tag
def ago(moment: datetime, now: datetime) -> SafeString:
    return format_html(
        '<time datetime="{}" data-since>{}</time>', moment.isoformat(), f"{format_duration(now - moment, exact=False)} ago"
    )


@register.simple_tag
def left(moment: datetime, now: datetime) -> SafeString:
    return format_html('<time datetime="{}" data-until>{}</time>', moment.isoformat(), format_duration(moment - now))


def format_duration(span: timedelta, *, exact: bool = True) -> str:
    """Return `42s`, `3m 07s` (if not exact `3m`), `2h 5m` (if not exact `2h`) or `4d`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < MINUTE:
        return f"{seconds}s"
    if seconds < HOUR:
        return f"{seconds // MINUTE}m {seconds % MINUTE:02}s" if exact else f"{seconds // MINUTE}m"
    if seconds < DAY:
        return f"{seconds // HOUR}h {seconds % HOUR // MINUTE}m" if exact else f"{seconds // HOUR}h"
    return f"{seconds // DAY}d"
