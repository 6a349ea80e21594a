"""Wire encoding of timestamps, ids and JSON (protocol §1), from Python's or either database's values.

SQLite returns ids as 32 hex digits and JSON as text; writing that text is ten times cheaper than creating Python
objects first.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any, overload
from uuid import UUID

from orjson import Fragment


@overload
def instant(at: datetime | str) -> str: ...
@overload
def instant(at: datetime | str | None) -> str | None: ...
def instant(at: datetime | str | None) -> str | None:
    """Return RFC 3339 in UTC with microseconds, of an aware datetime, or of SQLite's naive datetime or either database's text."""
    if at is None:
        return None
    if isinstance(at, str):
        clock = at[11:].removesuffix("+00")  # Of PostgreSQL.
        return f"{at[:10]}T{clock}Z" if len(clock) == 15 else f"{at[:10]}T{clock[:8]}.{clock[9:]:0<6}Z"
    return _instant_of(at)


@lru_cache(maxsize=64)
def _instant_of(at: datetime) -> str:
    """Return the text of a datetime. The objects and events of a write mostly share theirs."""
    return at.isoformat(timespec="microseconds")[:26] + "Z"


@overload
def identifier(pk: UUID | str) -> str: ...
@overload
def identifier(pk: UUID | str | None) -> str | None: ...
def identifier(pk: UUID | str | None) -> str | None:
    """Return an id in its canonical form of 36 characters."""
    if pk is None:
        return None
    if type(pk) is str and len(pk) == 32:
        return f"{pk[:8]}-{pk[8:12]}-{pk[12:16]}-{pk[16:20]}-{pk[20:]}"
    return str(pk)


shared_identifier = lru_cache(maxsize=4_096)(identifier)
"""`identifier`, for ids that many rows of a list have in common."""


def json(value: Any) -> Any:
    """Return the value of a JSONTextField for serialization; stored text is not parsed."""
    return Fragment(value) if isinstance(value, str) else value
