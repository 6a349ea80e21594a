"""The reader's time zone: the browser names it in a cookie, and the console shows times and counts days by it.

Without the cookie, or with one that names no zone, it is UTC.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, CharField, DateField, F, Func, Value, When
from django.http import HttpRequest
from django.utils import timezone

COOKIE = "openintent-zone"
STEP = timedelta(days=7)  # No zone changes its offset twice within.


def in_reader_zone(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view: it is run and rendered in the zone of the reader."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with timezone.override(zone_named(request.COOKIES.get(COOKIE, ""))):
            response = view(request, *args, **kwargs)
            return response.render() if hasattr(response, "render") else response

    return wrapped


def zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # A path, a folder, or nothing that is known.
        return ZoneInfo("UTC")


def zone_name(moment: datetime) -> str:
    """Return the name of the reader's zone at the moment: `CET`, or `UTC+03` where it has none."""
    name = timezone.localtime(moment).tzname() or ""
    return name if name.isalpha() else f"UTC{name}"


def midnight(now: datetime) -> datetime:
    """Return the beginning of the reader's day."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


class _Day(Func):
    """The day of an instant in UTC, moved by an interval. Django's own function asks Python for each row on SQLite."""

    output_field = DateField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="DATE(%(expressions)s)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "((%(expressions)s::interval) AT TIME ZONE 'UTC')::date"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" + ", **context)


def day_of(field: str, first: datetime, until: datetime) -> Func:
    """Return the expression of the reader's day of a field whose instants lie between `first` and `until`."""
    *later, earliest = reversed(_offsets(first, until))
    moved = Case(
        *(When(**{f"{field}__gte": since}, then=Value(_interval(offset))) for since, offset in later),
        default=Value(_interval(earliest[1])),
        output_field=CharField(),
    )
    return _Day(F(field), moved)


def _interval(offset: timedelta) -> str:
    return f"{offset // timedelta(minutes=1):+d} minutes"


def _offsets(first: datetime, until: datetime) -> list[tuple[datetime, timedelta]]:
    """Return the zone's offsets between the instants, each with the minute from which it holds."""
    zone = timezone.get_current_timezone()

    def offset_at(at: datetime) -> timedelta:
        return at.astimezone(zone).utcoffset() or timedelta()

    found = [(first, offset_at(first))]
    while first < until:
        following = min(first + STEP, until)
        if offset_at(following) != found[-1][1]:
            before, after = first, following
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) / 2
                before, after = (middle, after) if offset_at(middle) == found[-1][1] else (before, middle)
            changed = (after + timedelta(seconds=30)).replace(second=0, microsecond=0)
            found.append((changed, offset_at(following)))
        first = following
    return found
