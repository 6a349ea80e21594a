"""Arbitration and decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputValidationError
from ._values import DESCRIPTION_LENGTH, mapping, text

OPTIONS = 50
LABEL_LENGTH = 200


def validate_arbitration_request(
    reason: str,
    *,
    context: Mapping[str, Any] | None = None,
    options: Sequence[str | Mapping[str, Any]] | None = None,
) -> None:
    """Check a question to be decided: a reason, and at most 50 options whose labels differ, as text or as `{"label": …}`."""
    text(reason, "reason", DESCRIPTION_LENGTH)
    if context is not None:
        mapping(context, "context")
    labels = [option["label"] if isinstance(option, Mapping) and "label" in option else option for option in options or ()]
    for index, label in enumerate(labels):
        text(label, f"options[{index}]", LABEL_LENGTH)
    if len(labels) > OPTIONS or len(set(labels)) < len(labels):
        raise InputValidationError(f"options must be at most {OPTIONS}, whose labels differ", field="options")


def validate_decision(decision: str, rationale: str | None = None) -> None:
    """Check a decision: text that says something, and why, if it is given."""
    text(decision, "decision", DESCRIPTION_LENGTH)
    if rationale is not None:
        text(rationale, "rationale", DESCRIPTION_LENGTH, empty=True)
