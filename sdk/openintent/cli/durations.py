"""Instants and spans, as people write and read them."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")


def parse_past(text: str) -> datetime:
    """`90s`, `15m`, `2h`, `7d` or `1w` ago, or a time as `2027-01-15T09:30` (here, if it has no offset). Raises BadParameter."""
    return _parse(text, -1)


def parse_future(text: str) -> datetime:
    """The same from now on. Raises BadParameter."""
    return _parse(text, 1)


def _parse(text: str, direction: int) -> datetime:
    try:
        if span := _SPAN.fullmatch(text):
            return datetime.now(UTC) + direction * timedelta(**{_UNITS[span[2]]: int(span[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (OverflowError, ValueError):
        raise typer.BadParameter(f"{text!r} is neither a span as 90s, 15m, 2h, 7d nor a time as 2027-01-15T09:30.") from None


def ago(at: datetime) -> str:
    """`3 min ago`."""
    seconds = (datetime.now(UTC) - at).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 1 else "just now"


def left(at: datetime) -> str:
    """How long it is until then: `4 min 10 s`; `over` when it is past."""
    seconds = (at - datetime.now(UTC)).total_seconds()
    return span(seconds, parts=2) if seconds > 0 else "over"


def span(seconds: float, parts: int = 1) -> str:
    """A length of time in its largest units."""
    rest = int(seconds)
    found: list[tuple[int, str]] = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or found or size == 1:
            found.append((count, name))
    return " ".join(f"{count} {name}" for count, name in found[:parts] if count or parts == 1 or len(found) == 1)


def clock(at: datetime, now: datetime | None = None) -> str:
    """The local time, with the day unless that is today."""
    local, today = at.astimezone(), (now or datetime.now(UTC)).astimezone().date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")
