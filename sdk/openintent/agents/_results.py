"""What a handler may return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..validation import validate_patches
from ..validation._values import mapping


@dataclass(frozen=True)
class Done:
    """The result of an assignment, where a plain dict does not say enough.

        return Done({"draft": text}, complete=False)

    state     keys to set in the intent's state, as a plain dict would
    patches   changes that setting keys cannot say, applied after `state` and in one write with it (protocol I-3)
    complete  whether the intent is completed. If not, it stays active, and the agent is done with it until it is assigned anew
    reason    why, for the log
    """

    state: Mapping[str, Any] | None = None
    patches: Sequence[Mapping[str, Any]] = ()
    complete: bool = True
    reason: str | None = None

    def as_patches(self) -> list[Mapping[str, Any]]:
        """All changes as patches. Raises InputValidationError for what is not JSON."""
        if self.state is not None:
            mapping(self.state, "state")
        if self.patches:
            validate_patches(self.patches)
        sets = [{"op": "set", "path": _path(key), "value": value} for key, value in (self.state or {}).items()]
        return [*sets, *self.patches]


Result: TypeAlias = Mapping[str, Any] | Done | None
"""Of an assignment's handler: a dict is set in the state, and None changes nothing; both complete the intent."""


def as_done(result: object) -> Done:
    """Raises TypeError for what no handler may return."""
    if isinstance(result, Done):
        return result
    if result is None or isinstance(result, Mapping):
        return Done(result)
    raise TypeError(f"a handler returns a dict, a Done or None, not {type(result).__name__}")


def _path(key: str) -> str:
    """A key of the state as a patch names it: one that begins with a slash would be taken for a JSON Pointer."""
    return "/" + key.replace("~", "~0").replace("/", "~1") if key.startswith("/") else key
