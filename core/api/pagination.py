"""Keyset pagination of lists: every page costs the same, however far in it is (protocol §1 "Lists")."""

import base64
import binascii
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, reduce
from typing import Any, ClassVar, cast
from uuid import UUID

import orjson
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Func, IntegerField, Model, Q, QuerySet, TextField, UUIDField
from django.db.models.functions import Coalesce
from drf_spectacular.plumbing import build_object_type, build_parameter_type
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from core import encoding
from core.api.responses import Response
from core.db import sql_rows
from core.errors import Invalid
from core.ids import parse_id

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
PAGE_BYTES = 8 * 2**20
"""Limit of bytes of text in a page."""
ROWS_AT_ONCE = 128  # Rows that are read at once, until it is known that they are small.
SMALL = PAGE_BYTES // 16  # Bytes of these rows, up to which the rest of a page is read at once.
MAX_OFFSET = 2**31


class Keyset:
    """Order by one or two fields in the same direction, the last of them unique."""

    def __init__(self, *ordering: str) -> None:
        self.ordering = ordering
        self.names = [name.removeprefix("-") for name in ordering]
        self.lookup = "lt" if ordering[0].startswith("-") else "gt"

    def after(self, cursor: str, model: type[Model]) -> Q:
        """Return the condition of rows after the cursor, in a form that an index serves. Raise Invalid if the cursor is."""
        fields: list[Any] = [model._meta.get_field(name) for name in self.names]
        values = decode_cursor(cursor, [_value_parser(field) for field in fields])
        *first, last = zip(self.names, values, strict=True)
        condition = Q(**{f"{last[0]}__{self.lookup}": last[1]})
        for name, value in reversed(first):
            condition = Q(**{f"{name}__{self.lookup}e": value}) & (Q(**{f"{name}__{self.lookup}": value}) | condition)
        return condition

    def cursor(self, row: Any, model: type[Model]) -> str:
        """Return the cursor of a row."""
        values: list[Any] = []
        for name in self.names:
            field, value = model._meta.get_field(name), getattr(row, name)
            if isinstance(field, DateTimeField):
                value = encoding.instant(value)
            values.append(encoding.identifier(value) if isinstance(field, UUIDField) else value)
        return encode_cursor(values)


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Any]
    next: str | None

    def body(self, name: str, represent: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: [represent(row) for row in self.rows], "next": self.next}


def fetch_objects_within(queryset: QuerySet[Any], size: int) -> tuple[list[Any], int, bool]:
    """Return the first objects of the sliced queryset that have `size` bytes of text, their bytes, and whether objects are left."""
    model: Any = queryset.model
    related = cast(dict[str, Any], queryset.query.select_related or {})
    names = [*_text_fields(model)]
    for each in related:
        names += [f"{each}__{name}" for name in _text_fields(cast(Any, model._meta.get_field(each)).related_model)]
    if not names:
        found = list(queryset)
        return found, 0, False
    measured = list(
        queryset.annotate(text_bytes=reduce(operator.add, [Coalesce(_Bytes(name), 0) for name in names])).values_list(
            "pk", "text_bytes"
        )
    )
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


class KeysetPagination(BasePagination):
    """Pagination of a view set's lists by its `ordering`, as `{list_name: [...], "next": cursor or null}`.

    A view with `orderings` lets clients choose one of them by its name.
    """

    parameters: ClassVar[dict[str, tuple[dict[str, Any], str]]] = {
        "limit": (
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            "Maximum number of items.",
        ),
        "cursor": ({"type": "string", "format": "cursor"}, "`next` of the previous page; empty for the first page."),
    }
    fetch = staticmethod(fetch_objects_within)
    next: str | None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows that `limit` and `cursor` (or `offset`) ask for; a page ends at PAGE_BYTES. Raise Invalid if a parameter is."""
        keyset, limit, model = Keyset(*self.get_ordering(request, view)), requested_limit(request), queryset.model
        queryset = queryset.order_by(*keyset.ordering)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(keyset.after(cursor, model))
        offset = integer_parameter(request, "offset", 0, 0, MAX_OFFSET)
        found, is_cut = self.read(queryset, keyset, limit, offset)
        is_cut = is_cut or len(found) > limit
        self.list_name, found = view.list_name, found[:limit]
        self.next = keyset.cursor(found[-1], model) if is_cut else None
        return found

    def read(self, queryset: QuerySet[Any], keyset: Keyset, limit: int, offset: int) -> tuple[list[Any], bool]:
        """Return up to `limit` + 1 rows of the ordered queryset, and whether the page ends before that at PAGE_BYTES."""
        found: list[Any] = []
        rest, bytes_left = queryset, PAGE_BYTES
        while True:
            is_small = bool(found) and PAGE_BYTES - bytes_left <= SMALL
            count = limit + 1 - len(found) if is_small else min(limit + 1 - len(found), ROWS_AT_ONCE)
            part, size, is_cut = self.fetch(rest[offset : offset + count], bytes_left)
            found += part
            bytes_left -= size
            if len(part) < count or len(found) > limit:
                return found, is_cut
            if bytes_left <= 0:
                return found, True
            rest, offset = queryset.filter(keyset.after(keyset.cursor(part[-1], queryset.model), queryset.model)), 0

    def get_ordering(self, request: Request, view: Any) -> Sequence[str]:
        """Return the order that the client chose, else the view's. Raise Invalid for an unknown one."""
        given = request.query_params.get(view.ordering_parameter) if view.orderings else None
        if given is None:
            return view.ordering
        if given not in view.orderings:
            raise Invalid.field(view.ordering_parameter, f"must be one of {', '.join(view.orderings)}")
        return view.orderings[given]

    def get_paginated_response(self, data: Any, **members: Any) -> Response:  # type: ignore[override]
        return Response({self.list_name: data, "next": self.next, **members})

    def parameter_schemas(self, view: Any) -> dict[str, tuple[dict[str, Any], str]]:
        """Return schema and description of the query parameters by their names."""
        if not view.orderings:
            return self.parameters
        return {**self.parameters, view.ordering_parameter: ({"type": "string", "enum": sorted(view.orderings)}, "")}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            build_parameter_type(name, schema, "query", description=text)
            for name, (schema, text) in self.parameter_schemas(view).items()
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": ["string", "null"], "description": "Cursor of the next page; null on the last page."}
        return build_object_type(properties={self.list_name: schema, "next": following}, required=[self.list_name, "next"])


class RowPagination(KeysetPagination):
    """Pagination that reads rows (core.db.sql_rows) in place of objects."""

    fetch = staticmethod(sql_rows.fetch_within)


class OffsetPagination(RowPagination):
    """Pagination that can also skip a number of items."""

    parameters = {
        **RowPagination.parameters,
        "offset": ({"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}, "Number of items to skip."),
    }


class IdPagination(RowPagination):
    """Pagination that finds the ids of a page first, and once: for conditions that cost as much as the rows."""

    def read(self, queryset: QuerySet[Any], keyset: Keyset, limit: int, offset: int) -> tuple[list[Any], bool]:
        model: Any = queryset.model
        ids = [row[0] for row in sql_rows.fetch(queryset[offset : offset + limit + 1], model._meta.pk.attname)]
        rows, taken = sql_rows.fetch_ids_within(model, ids, PAGE_BYTES)
        return [rows[each] for each in ids[:taken]], taken < len(ids)


def trim_to_page(rows: list[Any], limit: int, cursor: Callable[[Any], str]) -> Page:
    """Return the page of the first `limit` rows; a further row means that there is a next page."""
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


def decode_cursor(cursor: str, parsers: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """Return the values of a cursor, each parsed by its parser. Raise Invalid if the cursor is."""
    try:
        values = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        return [parse(value) for parse, value in zip(parsers, values, strict=True)]
    except (binascii.Error, ValidationError, ValueError, TypeError, AttributeError, OverflowError):
        raise Invalid.field("cursor", "is not a cursor of this list; leave it out to start over") from None


def parse_counter(value: Any) -> int:
    """Return a cursor value that is a whole number. Raise ValueError if it is not."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


@cache
def _text_fields(model: Any) -> list[str]:
    """Return the names of fields that may have long texts."""
    return [field.name for field in model._meta.concrete_fields if isinstance(field, TextField)]


class _Bytes(Func):
    """Byte length of a text."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **more)


def _value_parser(field: Any) -> Callable[[Any], Any]:
    """Return the strict parser of a field's cursor values. A field's own `to_python` lets null and more pass."""
    if isinstance(field, DateTimeField):
        return _parse_instant
    if isinstance(field, UUIDField):
        return _parse_uuid
    return parse_counter if isinstance(field, IntegerField) else _parse_text


def _parse_instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(value)
    return found.astimezone(UTC)


def _parse_uuid(value: Any) -> UUID:
    if (found := parse_id(value)) is None:
        raise ValueError(value)
    return found


def _parse_text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    return value
