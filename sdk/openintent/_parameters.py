"""Parameters of calls: ids, paths, instants and what is left out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import quote
from uuid import UUID

from .errors import InputValidationError

Id: TypeAlias = str | UUID
Ids: TypeAlias = Id | Sequence[Id]
Instant: TypeAlias = str | datetime

T = TypeVar("T")


class Unset(Enum):
    """The type of `UNSET`, the default of an argument for which None has a meaning of its own."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Literal[Unset.UNSET] = Unset.UNSET


class SupportsPlan(Protocol):
    """An object that describes an intent of a plan, as `IntentSpec` does."""

    def as_planned(self) -> Mapping[str, Any]:
        """Return the intent as `create_intents` takes it, with a ref by which others name it."""


def path(*segments: Id) -> str:
    """Return the path of a resource: `path("agents", "team/bot", "intents")` is `/api/v1/agents/team%2Fbot/intents`.

    Raise InputValidationError for an id that no URL can carry.
    """
    ids = [as_id(each) for each in segments]
    for unusable in {"", ".", ".."}.intersection(ids):  # A URL is normalised on its way: these would name another resource.
        raise InputValidationError(f"{unusable!r} cannot be used as an id", field="id")
    try:
        return "/".join(["/api/v1", *(quote(each, safe="") for each in ids)])
    except UnicodeEncodeError:
        raise InputValidationError("an id cannot contain lone surrogates", field="id") from None


def as_id(value: Id) -> str:
    """Return an id as text. Raise InputValidationError for anything but text and UUIDs."""
    if not isinstance(value, (str, UUID)):
        raise InputValidationError(f"an id must be text or a UUID, not {type(value).__name__}", field="id")
    return str(value)


def one_of(value: T | None, alias: T | None, name: str) -> T | None:
    """Return the argument or, if that is not given, its alias `name`. Raise InputValidationError if both are given."""
    if value is not None and alias is not None:
        raise InputValidationError(f"{name} is an alias: pass one of both", field=name)
    return alias if value is None else value


def as_optional_id(value: Id | None) -> str | None:
    return None if value is None else as_id(value)


def as_ids(value: Ids) -> list[str]:
    """Return one id or several as a list of text. Raise InputValidationError for anything else."""
    if not isinstance(value, (str, UUID, Iterable)):
        raise InputValidationError(f"ids must be text, UUIDs or a list of them, not {type(value).__name__}", field="id")
    return [as_id(one) for one in ([value] if isinstance(value, (str, UUID)) else value)]


def to_rfc3339(value: Instant | None, field: str) -> str | None:
    """Return a time in RFC 3339. Text is passed on unchanged; a datetime must be aware. Raise InputValidationError if it is naive."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise InputValidationError(f"{field} needs a time zone, as in datetime.now(timezone.utc)", field=field)
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def require_changes(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that are not UNSET. Raise InputValidationError if there are none."""
    changes = {name: value for name, value in arguments.items() if value is not UNSET}
    if not changes:
        raise InputValidationError(f"pass at least one of {', '.join(arguments)}")
    return changes


def without_none(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that are not None, so that omitted ones stay out of the body."""
    return {name: value for name, value in arguments.items() if value is not None}
