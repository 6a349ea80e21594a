"""Decoding of models: objects of the API as frozen dataclasses (protocol §3).

They are tolerant readers: an unknown key is kept in `extra`, and an unknown
value of an enum (a status, an event type) stays plain text. Instants are aware datetimes in UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self, TypeVar

from .._short_repr import one_line

E = TypeVar("E", bound=StrEnum)
M = TypeVar("M", bound="Model")


@dataclass(frozen=True, kw_only=True)
class Model:
    """Base class of all models. `extra` has the keys that this version has no field for."""

    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, metadata={"key": None})

    def __init_subclass__(cls) -> None:
        setattr(cls, "__repr__", Model.__repr__)  # noqa: B010  `dataclass` makes none where the class has one.

    def __repr__(self) -> str:
        return one_line(type(self).__name__, ((one.name, getattr(self, one.name)) for one in fields(self) if one.repr))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Decode a JSON object. Raises TypeError if a field without a default is missing."""
        extra = dict(data)
        values: dict[str, Any] = {}
        for one in fields(cls):
            key = one.metadata.get("key", one.name)
            if key in extra:
                value, decode = extra.pop(key), one.metadata.get("decode")
                values[one.name] = value if decode is None or value is None else decode(value)
        return cls(**{**values, "extra": extra})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Decode what `to_dict` has returned, or a JSON object of the API. Raises TypeError like `from_json`."""
        return cls.from_json(data)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object: `json.dumps` writes it, and `from_dict` reads it."""
        found = {one.metadata.get("key", one.name): getattr(self, one.name) for one in fields(self) if one.name != "extra"}
        return {**deepcopy(dict(self.extra)), **{key: _encode(value) for key, value in found.items()}}


def _encode(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):  # As a number if that is the same amount.
        if value == int(value):
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, Mapping):
        return {key: _encode(each) for key, each in value.items()}
    return [_encode(each) for each in value] if isinstance(value, list) else value


UNSET: Any = None
"""Default of a field that the server always sends, and that an object made by hand may lack."""


def _decode_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def decode_enum(known: type[E]) -> Callable[[str], E | str]:
    def decode(text: str) -> E | str:
        try:
            return known(text)
        except ValueError:
            return text

    return decode


def decode_list(model: type[M]) -> Callable[[Sequence[Any]], list[M]]:
    return lambda items: [model.from_json(item) for item in items]


INSTANT: dict[str, Any] = {"decode": _decode_instant}
"""Metadata of a field that is an instant."""
