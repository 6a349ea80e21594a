"""Arbitration and decisions."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputValidationError
from ._values import DESCRIPTION_LENGTH, folded, has_invisible, listed, mapping, text, validate_agent_id, why

OPTIONS = 50
LABEL_LENGTH = 200
DECISION_TYPE_LENGTH = 100
EVIDENCE = 100
SOURCE_LENGTH = 500
SUMMARY_LENGTH = 2_000
ACTIONS = 100
ACTION_LENGTH = 100


def validate_arbitration_request(
    reason: str,
    *,
    context: Mapping[str, Any] | None = None,
    options: Sequence[str | Mapping[str, Any]] | None = None,
) -> None:
    """Check a question to be decided: a reason, and at most 50 options whose labels look different, as text or as `{"label": …}`."""
    text(reason, "reason", DESCRIPTION_LENGTH)
    if context is not None:
        mapping(context, "context")
    labels: list[Any] = [
        option["label"] if isinstance(option, Mapping) and "label" in option else option for option in options or ()
    ]
    for index, label in enumerate(labels):
        text(label, f"options[{index}]", LABEL_LENGTH)
        if has_invisible(label):
            raise InputValidationError(f"options[{index}] cannot contain control or format characters", field=f"options[{index}]")
    if len(labels) > OPTIONS or len({folded(label) for label in labels}) < len(labels):
        raise InputValidationError(f"options must be at most {OPTIONS}, whose labels look different", field="options")


def validate_withdrawal(reason: str | None = None) -> None:
    """Check why a question is taken back."""
    why(reason)


def validate_decision(
    decision: str,
    rationale: str | None = None,
    *,
    decision_type: str | None = None,
    evidence: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Check a decision: text that says something; why, of what type and on what evidence, if that is given."""
    text(decision, "decision", DESCRIPTION_LENGTH)
    if rationale is not None:
        text(rationale, "rationale", DESCRIPTION_LENGTH, empty=True)
    if decision_type is not None:
        text(decision_type, "decision_type", DECISION_TYPE_LENGTH)
    for index, each in enumerate(listed(evidence, "evidence", EVIDENCE)):
        _evidence(each, f"evidence[{index}]")


def validate_delegation(delegate: str, *, actions: Sequence[str] = (), constraints: Mapping[str, Any] | None = None) -> None:
    """Check a power to lend: to whom, for which actions (at most 100; none: all), under which constraints."""
    validate_agent_id(delegate, "delegate")
    for index, action in enumerate(listed(actions, "actions", ACTIONS)):
        text(action, f"actions[{index}]", ACTION_LENGTH)
    if constraints is not None:
        mapping(constraints, "constraints")


def _evidence(value: Any, field: str) -> None:
    mapping(value, field)
    text(value.get("source"), f"{field}.source", SOURCE_LENGTH)
    if value.get("summary") is not None:
        text(value["summary"], f"{field}.summary", SUMMARY_LENGTH, empty=True)
