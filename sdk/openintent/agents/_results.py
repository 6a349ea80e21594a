"""Results of assignment handlers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..validation import validate_patches
from ..validation._values import require_mapping


@dataclass(frozen=True)
class Done:
    """The result of an assignment, for what a plain dict cannot express.

        return Done({"draft": text}, complete=False)

    state     keys to set in the intent's state, as a plain dict would
    patches   changes other than setting keys, applied after `state` and in one write with it (protocol I-3)
    complete  whether to complete the intent. If not, it stays active, and the agent is done with it until it is assigned again
    reason    a reason for the log
    """

    state: Mapping[str, Any] | None = None
    patches: Sequence[Mapping[str, Any]] = ()
    complete: bool = True
    reason: str | None = None

    def as_patches(self) -> list[Mapping[str, Any]]:
        """Return all changes as patches. Raises InputValidationError for what is not JSON."""
        if self.state is not None:
            require_mapping(self.state, "state")
        if self.patches:
            validate_patches(self.patches)
        # A key that begins with a slash is escaped: a patch would read it as a JSON Pointer.
        paths = {key: "/" + key.replace("~", "~0").replace("/", "~1") if key.startswith("/") else key for key in self.state or {}}
        sets = [{"op": "set", "path": paths[key], "value": value} for key, value in (self.state or {}).items()]
        return [*sets, *self.patches]


Result: TypeAlias = Mapping[str, Any] | Done | None
"""Return type of an assignment handler: a dict is set in the state, None changes nothing; both complete the intent."""


def as_done(result: object) -> Done:
    """Return a handler's result as a Done. Raise TypeError for what no handler may return."""
    if isinstance(result, Done):
        return result
    if result is None or isinstance(result, Mapping):
        return Done(result)
    raise TypeError(f"a handler returns a dict, a Done or None, not {type(result).__name__}")
