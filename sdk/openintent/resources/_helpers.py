"""What the descriptions of calls are made of: paths, bodies, lists."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal, Protocol, Self, TypeAlias, TypeVar
from urllib.parse import quote
from uuid import UUID

from .._endpoint import Call
from ..errors import InputValidationError

Id: TypeAlias = str | UUID
Ids: TypeAlias = Id | Sequence[Id]
Instant: TypeAlias = str | datetime


class Unset(Enum):
    """The type of `UNSET`, an argument that was not given where None has a meaning of its own."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Literal[Unset.UNSET] = Unset.UNSET


class Decodable(Protocol):
    """A model: what can be read from a JSON object."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self: ...


D = TypeVar("D", bound=Decodable)


def path(*segments: Id) -> str:
    """The path of a resource: `path("agents", "team/bot", "intents")` is `/api/v1/agents/team%2Fbot/intents`.

    Raises InputValidationError for an id that no URL can carry.
    """
    return "/".join(["/api/v1", *map(_encode_segment, segments)])


def _encode_segment(value: Id) -> str:
    text = as_id(value)
    if text in {
        "",
        ".",
        "..",
    }:  # A URL is normalised on its way: these would name another resource.
        raise InputValidationError(f"{text!r} cannot be used as an id", field="id")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InputValidationError("an id cannot contain lone surrogates", field="id") from None


def as_id(value: Id) -> str:
    """An id as text. Raises InputValidationError for anything but text and UUIDs."""
    if not isinstance(value, (str, UUID)):
        raise InputValidationError(f"an id must be text or a UUID, not {type(value).__name__}", field="id")
    return str(value)


def as_ids(value: Ids) -> list[str]:
    """One id or several, as the list of text that the API takes."""
    return [as_id(one) for one in ([value] if isinstance(value, (str, UUID)) else value)]


def to_rfc3339(value: Instant | None, field: str) -> str | None:
    """A time as the API takes it. Text goes as it is; a datetime must be aware, so that it means one instant."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise InputValidationError(f"{field} needs a time zone, as in datetime.now(timezone.utc)", field=field)
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def without_none(**arguments: Any) -> dict[str, Any]:
    """The arguments that are not None: what a caller leaves out stays out of the body."""
    return {name: value for name, value in arguments.items() if value is not None}


def list_call(path: str, name: str, model: type[D], *, limit: int | None, **params: Any) -> Call[list[D]]:
    """The call for a complete list, or its first `limit` items, whatever the server's page size."""
    return Call(
        method="GET",
        path=path,
        params=without_none(**params),
        parse=lambda items: [model.from_json(item) for item in items],
        pages=name,
        limit=limit,
    )


def no_content(_: object) -> None:
    """Read an answer without content."""
