"""Template tags for times and money. A script keeps the times current (console/stream.js)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.money import CENTS, count_decimals, format_dollars
from console.reader_zone import zone_name
from core import strict_json
from costs.amounts import DECIMALS, DOLLAR_DECIMALS, format_amount
from costs.models import Cost

register = template.Library()
register.filter("as_json", strict_json.text)

MINUTE, HOUR, DAY = 60, 3600, 86_400
_UNITS = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")]

_TONES = {
    "good": {"active", "completed", "delivered", "resolved", "sent", "live", "succeeded"},
    "warn": {"blocked", "paused", "pending", "retrying", "expires soon", "unknown"},
    "bad": {"disabled", "failed", "failing", "exceeded"},
}
"""Statuses by the color of their badge; the word says the same."""


@register.filter
def usd(amount: Decimal) -> str:
    """Return an amount of dollars exactly."""
    return format_dollars(amount)


@register.filter
def dollars(number: int, decimals: int = CENTS) -> str:
    """Return an amount of 10^-14 dollars exactly, with so many decimals at least: those of its column."""
    return format_dollars(format_amount(number, DOLLAR_DECIMALS), decimals)


@register.filter
def column_decimals(rows: Iterable[Any], attribute: str) -> int:
    """Return the decimals of a column of money, so that its amounts align: the attribute of each row, in 10^-14 dollars."""
    amounts = (each[int(attribute)] if attribute.isdigit() else getattr(each, attribute) for each in rows)
    return count_decimals(format_amount(amount, DOLLAR_DECIMALS) for amount in amounts)


@register.filter
def cost_decimals(costs: Iterable[Cost]) -> int:
    """Return the same of the single costs in USD."""
    return count_decimals(format_amount(each.amount, DECIMALS) for each in costs if each.unit == "USD")


@register.filter
def amount_with_unit(cost: Cost, decimals: int = CENTS) -> str:
    """Return the amount of a cost exactly: `$4.05`, or `12 requests`."""
    return (
        format_dollars(format_amount(cost.amount, DECIMALS), decimals)
        if cost.unit == "USD"
        else f"{number(cost.amount)} {cost.unit}"
    )


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
def at(moment: datetime, form: str = "H:i") -> SafeString:
    """Return the time in the reader's zone; under the pointer or with the focus, it is told in UTC."""
    local = date_format(timezone.localtime(moment), f"j M Y {form}")
    html = '<time datetime="{}" tabindex="0" title="{}">{} {}</time>'
    return format_html(html, moment.isoformat(), _in_utc(moment, form), local, zone_name(moment))


@register.simple_tag
def clock(moment: datetime, has_day: bool = False) -> SafeString:
    """Return the time of day in the reader's zone, with milliseconds, or with the day; under the pointer, all of it."""
    local = timezone.localtime(moment)
    text = date_format(local, "j M H:i:s") if has_day else f"{date_format(local, 'H:i:s')}.{moment.microsecond // 1000:03}"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), _tooltip(moment), text)


@register.filter
def thousands(count: int) -> str:
    return f"{count:,}"


@register.filter
def lasting(span: timedelta) -> str:
    """Return a duration as `format_duration` does, of less than a minute with its parts of a second."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f}s" if seconds < MINUTE else format_duration(span)


@register.filter
def in_words(seconds: int) -> str:
    """Return a length of time for a sentence: `15 minutes`, `1 hour`, `90 seconds`."""
    size, unit = next(each for each in _UNITS if seconds % each[0] == 0)
    count = seconds // size
    return f"{count} {unit}{pluralize(count)}"


@register.simple_tag
def zone(moment: datetime) -> str:
    return zone_name(moment)


def _in_utc(moment: datetime, form: str = "H:i:s") -> str:
    return f"{date_format(moment.astimezone(UTC), f'j M Y {form}')} UTC"


def _tooltip(moment: datetime) -> str:
    local = timezone.localtime(moment)
    told = "" if local.utcoffset() == timedelta() else f"{date_format(local, 'j M Y H:i:s')} {zone_name(moment)}, "
    return told + _in_utc(moment)


@register.simple_tag
def ago(moment: datetime, now: datetime) -> SafeString:
    text = f"{format_duration(now - moment, exact=False)} ago"
    return format_html('<time datetime="{}" data-since title="{}">{}</time>', moment.isoformat(), _tooltip(moment), text)


@register.simple_tag
def left(moment: datetime, now: datetime) -> SafeString:
    text = format_duration(moment - now)
    looks = "" if moment - now < timedelta(days=1) else "oi-days"
    return format_html(
        '<time datetime="{}" data-until class="{}" title="{}">{}</time>', moment.isoformat(), looks, _tooltip(moment), text
    )


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
