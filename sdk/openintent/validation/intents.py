"""Intents and their state."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..enums import IntentStatus
from ..errors import InputValidationError
from ._limits import require_readable_limits
from ._values import (
    DESCRIPTION_LENGTH,
    TITLE_LENGTH,
    require_mapping,
    require_one_of,
    require_reason,
    require_text,
    validate_agent_id,
    validate_json,
    validate_whole_number,
)

CONFIDENCE = (0, 100)
PATCH_OPS = ("set", "append", "remove")


def validate_intent_create(
    title: str,
    description: str | None = None,
    *,
    state: Mapping[str, Any] | None = None,
    constraints: Mapping[str, Any] | Sequence[Any] | None = None,
    confidence: int | None = None,
    assign: str | Sequence[str] | None = None,
) -> None:
    """Check a new intent: `validate_intent_create(title="")` raises "title cannot be empty"."""
    validate_intent_update(title=title, description=description, constraints=constraints, confidence=confidence)
    if state is not None:
        require_mapping(state, "state")
    if assign is not None:
        if not isinstance(assign, (str, Sequence)):
            raise InputValidationError("assign must be one agent id or a list of them", field="assign")
        for agent_id in [assign] if isinstance(assign, str) else assign:
            validate_agent_id(agent_id, "assign")


def validate_intent_update(**changes: Any) -> None:
    """Check new values of an intent's `title`, `description`, `constraints` and `confidence`."""
    if "title" in changes:
        require_text(changes["title"], "title", TITLE_LENGTH)
    if changes.get("description") is not None:
        require_text(changes["description"], "description", DESCRIPTION_LENGTH, empty=True)
    if (constraints := changes.get("constraints")) is not None:
        if not isinstance(constraints, (Mapping, list, tuple)):
            raise InputValidationError(
                f"constraints must be a dict or a list of rules, not {type(constraints).__name__}", field="constraints"
            )
        validate_json(constraints, "constraints")
        as_mapping = constraints if isinstance(constraints, Mapping) else {"rules": constraints}
        require_readable_limits(as_mapping, "constraints")
    if changes.get("confidence") is not None:
        validate_whole_number(changes["confidence"], "confidence", *CONFIDENCE)


def validate_status(status: IntentStatus | str, reason: str | None = None) -> None:
    """Check a new status, one of the six, and its reason. Only the server knows whether the transition is legal."""
    require_one_of(status, "status", IntentStatus)
    require_reason(reason)


def validate_state(state: Mapping[str, Any]) -> None:
    """Check keys to set in an intent's state: at least one, and JSON values."""
    require_mapping(state, "state")
    if not state:
        raise InputValidationError("state cannot be empty", field="state")


def validate_patches(patches: Sequence[Mapping[str, Any]]) -> None:
    """Check patches of an intent's state (protocol I-3): `[{"op": "set", "path": "a", "value": 1}]`.

    `op` is set, append or remove; `path` a plain key, or a JSON Pointer if it starts with a slash.
    """
    if not patches:
        raise InputValidationError("patches cannot be empty", field="patches")
    for index, patch in enumerate(patches):
        field = f"patches[{index}]"
        require_mapping(patch, field)
        op = patch.get("op")
        if op not in PATCH_OPS:
            raise InputValidationError(
                f"{field}.op must be {', '.join(PATCH_OPS[:-1])} or {PATCH_OPS[-1]}, not {op!r}",
                field=f"{field}.op",
            )
        if not isinstance(patch.get("path"), str):
            raise InputValidationError(f"{field}.path must be text", field=f"{field}.path")
        if op != "remove" and "value" not in patch:
            raise InputValidationError(f"{field} needs a value to {op}", field=f"{field}.value")
