"""Arbitrations, decisions, permits and delegations."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..enums import PermitOutcome, Urgency
from ..errors import InputValidationError
from ._values import (
    DESCRIPTION_LENGTH,
    fold_look_alikes,
    has_invisible,
    require_list,
    require_mapping,
    require_number,
    require_one_of,
    require_reason,
    require_text,
    validate_agent_id,
)

OPTIONS = 50
LABEL_LENGTH = 200
DECISION_TYPE_LENGTH = 100
EVIDENCE = 100
SOURCE_LENGTH = 500
SUMMARY_LENGTH = 2_000
ACTIONS = 100
ACTION_LENGTH = 100
VERB_LENGTH = 100
TARGET_LENGTH = 500
EFFECT_KEY_LENGTH = 255
PERMIT_SECONDS = 86_400
QUORUM = 100
AUDIENCE = 50
STEPS = 10
STEP_SECONDS = 90 * 86_400
RECIPIENT_LENGTH = 200
RECIPIENT = re.compile(r"(user|group):\S(.*\S)?")


def validate_arbitration_request(
    reason: str,
    *,
    context: Mapping[str, Any] | None = None,
    options: Sequence[str | Mapping[str, Any]] | None = None,
) -> None:
    """Check an arbitration request: a reason, and at most 50 options whose labels look different, as text or as `{"label": …}`."""
    require_text(reason, "reason", DESCRIPTION_LENGTH)
    if context is not None:
        require_mapping(context, "context")
    labels: list[Any] = [
        option["label"] if isinstance(option, Mapping) and "label" in option else option for option in options or ()
    ]
    for index, label in enumerate(labels):
        require_text(label, f"options[{index}]", LABEL_LENGTH)
        if has_invisible(label):
            raise InputValidationError(f"options[{index}] cannot contain control or format characters", field=f"options[{index}]")
    if len(labels) > OPTIONS or len({fold_look_alikes(label) for label in labels}) < len(labels):
        raise InputValidationError(f"options: at most {OPTIONS}, with labels that look different", field="options")


def validate_terms(action: Mapping[str, Any] | None, *, permit_seconds: int | None = None, quorum: int | None = None) -> None:
    """Check an act (its verb, target, parameters and key), for how long it is permitted and how many must grant it."""
    if action is not None:
        require_mapping(action, "action")
        require_text(action.get("verb"), "action.verb", VERB_LENGTH)
        require_text(action.get("target"), "action.target", TARGET_LENGTH)
        if action.get("params") is not None:
            require_mapping(action["params"], "action.params")
        if action.get("effect_key") is not None:
            require_text(action["effect_key"], "action.effect_key", EFFECT_KEY_LENGTH)
    if permit_seconds is not None:
        require_number(permit_seconds, "permit_seconds", 1, PERMIT_SECONDS)
    if quorum is not None:
        require_number(quorum, "quorum", 1, QUORUM)


def validate_question(
    response_schema: Mapping[str, Any] | None = None,
    *,
    audience: Sequence[str] | None = None,
    urgency: str | None = None,
    remind_after_seconds: Sequence[int] | None = None,
    escalation: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Check the terms of a question, but for its schema and its people, which the server knows: at most 50 of the audience, and 10 steps."""
    if response_schema is not None:
        require_mapping(response_schema, "response_schema")
    if urgency is not None:
        require_one_of(urgency, "urgency", Urgency)
    for index, each in enumerate(require_list(audience, "audience", AUDIENCE)):
        _require_recipient(each, f"audience[{index}]")
    for index, seconds in enumerate(require_list(remind_after_seconds, "remind_after_seconds", STEPS)):
        require_number(seconds, f"remind_after_seconds[{index}]", 1, STEP_SECONDS)
    for index, step in enumerate(require_list(escalation, "escalation", STEPS)):
        require_mapping(step, f"escalation[{index}]")
        require_number(step.get("after_seconds"), f"escalation[{index}].after_seconds", 1, STEP_SECONDS)
        _require_recipient(step.get("to"), f"escalation[{index}].to")


def _require_recipient(value: Any, field: str) -> None:
    require_text(value, field, RECIPIENT_LENGTH)
    if not RECIPIENT.fullmatch(value):
        raise InputValidationError(f"{field} must be user:NAME or group:NAME", field=field)


def validate_gate(verb: str, *, quorum: int | None = None, permit_seconds: int | None = None) -> None:
    """Check what a gate binds, how many must grant it and for how long."""
    require_text(verb, "verb", VERB_LENGTH)
    validate_terms(None, permit_seconds=permit_seconds, quorum=quorum)


def validate_outcome(outcome: str, note: str | None = None) -> None:
    """Check what came of an act."""
    require_one_of(outcome, "outcome", PermitOutcome)
    if note is not None:
        require_text(note, "note", SUMMARY_LENGTH, empty=True)


def validate_permit_reason(reason: str | None = None) -> None:
    """Check the reason for revoking a permit."""
    require_reason(reason, SUMMARY_LENGTH)


def validate_withdrawal(reason: str | None = None) -> None:
    """Check the reason for a withdrawal."""
    require_reason(reason)


def validate_assignee(assignee: str | None) -> None:
    """Check the person that a question is assigned to: "user:NAME", or None for nobody."""
    if assignee is None:
        return
    require_text(assignee, "assignee", RECIPIENT_LENGTH)
    if not (RECIPIENT.fullmatch(assignee) and assignee.startswith("user:")):
        raise InputValidationError(f"assignee must be a person like user:grace, not {assignee!r}", field="assignee")


def validate_information(text: str, name: str) -> None:
    """Check a `question` about an arbitration, of at most 2,000 characters, or its `answer`."""
    require_text(text, name, SUMMARY_LENGTH if name == "question" else DESCRIPTION_LENGTH)


def validate_decision(
    decision: str | None,
    rationale: str | None = None,
    *,
    answer: Mapping[str, Any] | None = None,
    decision_type: str | None = None,
    evidence: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Check a decision: text that is not blank, or an answer, and optionally its rationale, type and evidence."""
    if answer is not None:
        require_mapping(answer, "answer")
    if decision is not None or answer is None:
        require_text(decision, "decision", DESCRIPTION_LENGTH)
    if rationale is not None:
        require_text(rationale, "rationale", DESCRIPTION_LENGTH, empty=True)
    if decision_type is not None:
        require_text(decision_type, "decision_type", DECISION_TYPE_LENGTH)
    for index, each in enumerate(require_list(evidence, "evidence", EVIDENCE)):
        field = f"evidence[{index}]"
        require_mapping(each, field)
        require_text(each.get("source"), f"{field}.source", SOURCE_LENGTH)
        if each.get("summary") is not None:
            require_text(each["summary"], f"{field}.summary", SUMMARY_LENGTH, empty=True)


def validate_delegation(delegate: str, *, actions: Sequence[str] = (), constraints: Mapping[str, Any] | None = None) -> None:
    """Check a delegation: the delegate, the actions (at most 100; none: all) and the constraints."""
    validate_agent_id(delegate, "delegate")
    for index, action in enumerate(require_list(actions, "actions", ACTIONS)):
        require_text(action, f"actions[{index}]", ACTION_LENGTH)
    if constraints is not None:
        require_mapping(constraints, "constraints")
