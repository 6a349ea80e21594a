"""Lists, a page at a time, by key and not by offset: a page costs the same however far in it lies (protocol §1 "Lists")."""

import base64
import binascii
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial, reduce
from typing import Any, cast
from uuid import UUID

import orjson
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Func, IntegerField, Model, Q, QuerySet, TextField, UUIDField
from django.db.models.functions import Coalesce
from rest_framework.request import Request

from core import encoding
from core.errors import Invalid
from core.ids import parse_id

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
PAGE_BYTES = 8 * 2**20
"""Bytes of texts in a page; with them it ends."""
ROWS_AT_ONCE = 128  # Rows that are read at once.
MAX_OFFSET = 2**31
PAGINATION_PARAMETERS = ["limit", "cursor"]


class KeysetPagination:
    """An order by one or two fields, all in the same direction, the last of them unique."""

    def __init__(self, *ordering: str) -> None:
        self.ordering = ordering
        self.names = [name.removeprefix("-") for name in ordering]
        self.beyond = "lt" if ordering[0].startswith("-") else "gt"

    def after(self, cursor: str, model: type[Model]) -> Q:
        """The rows beyond the cursor, written so that an index on the fields finds the first one. Raises Invalid."""
        fields: list[Any] = [model._meta.get_field(name) for name in self.names]
        values = decode_cursor(cursor, [_kind(field) for field in fields])
        *first, last = zip(self.names, values, strict=True)
        beyond = Q(**{f"{last[0]}__{self.beyond}": last[1]})
        for name, value in reversed(first):
            beyond = Q(**{f"{name}__{self.beyond}e": value}) & (Q(**{f"{name}__{self.beyond}": value}) | beyond)
        return beyond

    def cursor(self, row: Any, model: type[Model]) -> str:
        return encode_cursor([_plain(model._meta.get_field(name), getattr(row, name)) for name in self.names])

    def paginate_queryset(
        self,
        queryset: QuerySet[Any],
        request: Request,
        *,
        fetch: Callable[[QuerySet[Any], int], tuple[list[Any], int, bool]] | None = None,
    ) -> "Page":
        """Return the page that `limit` and `cursor` (or `offset`) ask for, read by `fetch`; it ends at PAGE_BYTES. Raise Invalid if a parameter is."""
        limit, fetch = requested_limit(request), fetch or fetch_objects_within
        model, queryset = queryset.model, queryset.order_by(*self.ordering)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(self.after(cursor, model))
        offset = integer_parameter(request, "offset", 0, 0, MAX_OFFSET)
        found: list[Any] = []
        rest, bytes_left = queryset, PAGE_BYTES
        while True:
            count = min(limit + 1 - len(found), ROWS_AT_ONCE)
            part, size, is_cut = fetch(rest[offset : offset + count], bytes_left)
            found += part
            bytes_left -= size
            if len(part) < count or len(found) > limit:
                break
            if bytes_left <= 0:
                is_cut = True
                break
            rest, offset = queryset.filter(self.after(self.cursor(part[-1], model), model)), 0
        if is_cut and len(found) <= limit:
            return Page(found, self.cursor(found[-1], model))
        return trim_to_page(found, limit, partial(self.cursor, model=model))


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Any]
    next: str | None

    def body(self, name: str, represent: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: [represent(row) for row in self.rows], "next": self.next}


def fetch_objects_within(queryset: QuerySet[Any], size: int) -> tuple[list[Any], int, bool]:
    """Fetch objects as `core.db.sql_rows.fetch_within` does rows: the sliced queryset's first ones, their bytes, and whether others are left."""
    model: Any = queryset.model
    related = cast(dict[str, Any], queryset.query.select_related or {})
    names = [*_texts(model), *(f"{each}__{name}" for each in related for name in _texts(_related(model, each)))]
    if not names:
        found = list(queryset)
        return found, 0, False
    measured = list(queryset.annotate(text_bytes=_bytes_of(names)).values_list("pk", "text_bytes"))
    used = kept = 0
    for _, each in measured:
        if used + each > size and kept:
            break
        used, kept = used + each, kept + 1
    ids = [pk for pk, _ in measured[:kept]]
    whole = queryset.all()
    whole.query.clear_limits()
    by_id = {each.pk: each for each in whole.filter(pk__in=ids)}  # With all that the queryset adds to its objects.
    return [by_id[pk] for pk in ids if pk in by_id], used, kept < len(measured)


def trim_to_page(rows: list[Any], limit: int, cursor: Callable[[Any], str]) -> Page:
    """A page of `limit` rows, of which one more was read to see whether there is a next page."""
    return Page(rows[:limit], cursor(rows[limit - 1]) if len(rows) > limit else None)


def requested_limit(request: Request) -> int:
    return integer_parameter(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def integer_parameter(request: Request, name: str, default: int, least: int, most: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 20 and least <= int(given) <= most):
        raise Invalid.field(name, f"must be a whole number from {least} to {most}")
    return int(given)


def encode_cursor(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """What `encode_cursor` was given; each value made by its kind from what JSON has. Raises Invalid."""
    try:
        values = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (binascii.Error, ValidationError, ValueError, TypeError, AttributeError, OverflowError):
        message = "is not one that this list gave; leave it out to begin anew"
        raise Invalid.field("cursor", message) from None


def parse_counter(value: Any) -> int:
    """A kind of cursor value: a whole number. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


@cache
def _texts(model: Any) -> list[str]:
    """The fields of a model that may have long texts."""
    return [field.name for field in model._meta.concrete_fields if isinstance(field, TextField)]


def _related(model: type[Model], name: str) -> type[Model]:
    return cast(type[Model], model._meta.get_field(name).related_model)


def _bytes_of(names: Sequence[str]) -> Any:
    return reduce(operator.add, [Coalesce(_Bytes(name), 0) for name in names])


class _Bytes(Func):
    """The bytes of a text."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **more)


def _kind(field: Any) -> Callable[[Any], Any]:
    """What makes a field's value of what `_plain` made of one, and takes nothing else. A column's own checks let null and more pass."""
    if isinstance(field, DateTimeField):
        return _instant
    if isinstance(field, UUIDField):
        return _id
    return parse_counter if isinstance(field, IntegerField) else _text


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(value)
    return found.astimezone(UTC)


def _id(value: Any) -> UUID:
    if (found := parse_id(value)) is None:
        raise ValueError(value)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    return value


def _plain(field: Any, value: Any) -> Any:
    if isinstance(field, DateTimeField):
        return encoding.instant(value)
    return encoding.identifier(value) if isinstance(field, UUIDField) else value
