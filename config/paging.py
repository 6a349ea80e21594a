"""Lists, a page at a time, by key and not by offset: a page costs the same however far in it lies (protocol §1 "Lists")."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.request import Request

from config.errors import Invalid
from config.wire import instant

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_OFFSET = 2**31
PARAMETERS = ["limit", "cursor"]


class Keyset:
    """An order by one or two fields, all in the same direction, the last of them unique."""

    def __init__(self, *ordering: str) -> None:
        self.ordering = ordering
        self.names = [name.removeprefix("-") for name in ordering]
        self.beyond = "lt" if ordering[0].startswith("-") else "gt"

    def after(self, values: list[Any]) -> Q:
        """The rows beyond these values. Written so that an index on the fields finds the first one."""
        *first, last = zip(self.names, values, strict=True)
        beyond = Q(**{f"{last[0]}__{self.beyond}": last[1]})
        for name, value in reversed(first):
            beyond = Q(**{f"{name}__{self.beyond}e": value}) & (Q(**{f"{name}__{self.beyond}": value}) | beyond)
        return beyond

    def cursor(self, row: Any) -> str:
        return encode_cursor([getattr(row, name) for name in self.names])

    def values(self, cursor: str, queryset: QuerySet[Any]) -> list[Any]:
        """What the cursor holds, as the model's own types. Raises Invalid."""
        fields: list[Any] = [queryset.model._meta.get_field(name) for name in self.names]
        return decode_cursor(cursor, [partial(field.clean, model_instance=None) for field in fields])


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Any]
    next: str | None

    def body(self, name: str, show: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: [show(row) for row in self.rows], "next": self.next}


def page(queryset: QuerySet[Any], request: Request, keyset: Keyset) -> Page:
    """The page that `limit` and `cursor` (or `offset`) ask for. Raises Invalid."""
    limit = limit_of(request)
    queryset = queryset.order_by(*keyset.ordering)
    if cursor := request.query_params.get("cursor"):
        queryset = queryset.filter(keyset.after(keyset.values(cursor, queryset)))
    offset = whole_number(request, "offset", 0, 0, MAX_OFFSET)
    rows = list(queryset[offset : offset + limit + 1])
    return cut(rows, limit, keyset.cursor)


def cut(rows: list[Any], limit: int, cursor: Callable[[Any], str]) -> Page:
    """A page of `limit` rows, of which one more was read to see whether there is a next page."""
    return Page(rows[:limit], cursor(rows[limit - 1]) if len(rows) > limit else None)


def limit_of(request: Request) -> int:
    return whole_number(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def whole_number(request: Request, name: str, default: int, least: int, most: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 20 and least <= int(given) <= most):
        raise Invalid.field(name, f"must be a whole number from {least} to {most}")
    return int(given)


def encode_cursor(values: list[Any]) -> str:
    plain = [_plain(value) for value in values]
    return base64.urlsafe_b64encode(orjson.dumps(plain)).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """What `encode_cursor` was given; each value made by its kind from what JSON has. Raises Invalid."""
    try:
        values = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (binascii.Error, ValidationError, ValueError, TypeError, AttributeError):
        message = "is not one that this list gave; leave it out to begin anew"
        raise Invalid.field("cursor", message) from None


def counter(value: Any) -> int:
    """A kind of cursor value: a whole number. Raises ValueError."""
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return str(value) if isinstance(value, UUID) else value
