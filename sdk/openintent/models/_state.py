"""The state of an intent."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Self


class IntentState(dict[str, Any]):
    """The state of an intent: a dict. To change it on the server, call `client.update_state`."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data or {})

    @property
    def data(self) -> dict[str, Any]:
        return self

    def set(self, key: str, value: Any) -> None:
        """Set a key of this object alone."""
        self[key] = value

    def to_dict(self) -> dict[str, Any]:
        """Return a copy that is a plain dict."""
        return deepcopy(dict(self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(data)
