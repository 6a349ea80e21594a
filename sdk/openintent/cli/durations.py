"""Parsing and formatting of times and durations."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,6})([smhdw])")


def parse_past(text: str) -> datetime:
    """Parse `90s`, `15m`, `2h`, `7d` or `1w` ago, or a time such as `2027-01-15T09:30` (local without an offset). Raise BadParameter."""
    return _parse(text, -1)


def parse_future(text: str) -> datetime:
    """Parse a duration from now, or a time. Raise BadParameter."""
    return _parse(text, 1)


def _parse(text: str, direction: int) -> datetime:
    try:
        if match := _DURATION.fullmatch(text):
            return datetime.now(UTC) + direction * timedelta(**{_UNITS[match[2]]: int(match[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (OverflowError, ValueError):
        raise typer.BadParameter(
            f"{text!r} is not a duration such as 90s, 15m, 2h, 7d or a time such as 2027-01-15T09:30."
        ) from None


def ago(at: datetime) -> str:
    """Format the age of a time: `3 min ago`."""
    seconds = (datetime.now(UTC) - at).total_seconds()
    return f"{format_span(seconds)} ago" if seconds >= 1 else "just now"


def time_left(at: datetime) -> str:
    """Format the time until then: `4 min 10 s`; `expired` if it is past."""
    seconds = (at - datetime.now(UTC)).total_seconds()
    return format_span(seconds, parts=2) if seconds > 0 else "expired"


def format_span(seconds: float, parts: int = 1) -> str:
    """Format a duration in its largest units."""
    rest = int(seconds)
    found: list[tuple[int, str]] = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or found or size == 1:
            found.append((count, name))
    return " ".join(f"{count} {name}" for count, name in found[:parts] if count or parts == 1 or len(found) == 1)


def format_time(at: datetime, now: datetime | None = None) -> str:
    """Format the local time, with the date unless it is today."""
    local, today = at.astimezone(), (now or datetime.now(UTC)).astimezone().date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")
