"""Request bodies of arbitrations, decisions and delegations (protocol §3)."""

from functools import partial
from typing import Any

from rest_framework import serializers

from access.serializers import AgentId
from core.agent_ids import fold_agent_id, has_invisible_characters
from core.api.fields import (
    VISIBLE,
    JSONObjectField,
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    StrictListField,
    StrictUUIDField,
)
from core.api.serializers import StrictSerializer

MAX_TEXT = 10_000
MAX_LABEL = 200
MAX_SOURCE = 500
MAX_NOTE = 2_000
MAX_OPTIONS = 50
MAX_EVIDENCE = 100
MAX_NAME = 100
MAX_SCOPE_ENTRIES = 100


RequiredText = partial(StrictCharField, max_length=MAX_TEXT, pattern=VISIBLE, pattern_message="cannot be empty")
"""A text with at least one visible character."""

OptionalText = partial(StrictCharField, max_length=MAX_TEXT, required=False, allow_null=True, allow_blank=True)
"""A text that may be left out, empty or null."""


class Label(StrictCharField):
    """A label that people choose by sight: without invisible characters."""

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if has_invisible_characters(value):
            raise serializers.ValidationError("cannot contain control or format characters", "invisible_character")
        return value


class ArbitrationOptionIn(StrictSerializer):
    """A label, or an object with its rationale."""

    shorthand = {"type": "string", "minLength": 1, "maxLength": MAX_LABEL, "pattern": VISIBLE}
    default_error_messages = dict.fromkeys(("null", "not_an_object"), "must be an object or a label")

    label = Label(max_length=MAX_LABEL, pattern=VISIBLE, pattern_message="cannot be empty")  # type: ignore[assignment] # DRF takes declared fields out of the class.
    rationale = OptionalText(max_length=MAX_NOTE)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        values = super().run_validation({"label": data} if isinstance(data, str) else data)
        return {"label": values["label"], "rationale": values.get("rationale")}


class CreateArbitration(StrictSerializer):
    example = {
        "reason": "Conflicting interpretations of the requirements",
        "context": {"conflicting_agents": ["agent:research", "agent:synth"]},
        "options": [{"label": "option_a", "rationale": "Cheaper"}, {"label": "option_b", "rationale": "Faster"}],
        "blocking": True,
    }

    reason = RequiredText()
    context = JSONObjectField(required=False)  # type: ignore[assignment]
    options = StrictListField(child=ArbitrationOptionIn(), required=False, max_length=MAX_OPTIONS, help_text="Distinct labels.")
    blocking = StrictBooleanField(required=False, help_text="The intent is blocked until the decision.")
    expires_at = StrictDateTimeField(required=False, allow_null=True)
    requested_by = AgentId(required=False, help_text="The requesting agent, if neither the key nor X-Agent-ID names it.")

    def validate_options(self, options: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seen: dict[str, str] = {}
        for label in (option["label"] for option in options):
            looks = fold_agent_id(label)
            if looks in seen:
                is_same = seen[looks] == label
                also = "more than once" if is_same else f"and {seen[looks][:60]!r}, which look alike"
                raise serializers.ValidationError(f"has {label[:60]!r} {also}", "duplicate_label")
            seen[looks] = label
        return options


class WithdrawArbitration(StrictSerializer):
    example = {"reason": "We agree after all"}

    reason = OptionalText()
    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")


class EvidenceIn(StrictSerializer):
    source = RequiredText(max_length=MAX_SOURCE)  # type: ignore[assignment]
    summary = OptionalText(max_length=MAX_NOTE)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        return {"source": values["source"], "summary": values.get("summary")}


class RecordDecision(StrictSerializer):
    aliases = {"outcome": "decision", "reasoning": "rationale"}
    example = {
        "decision": "option_a",
        "rationale": "Option A better aligns with the business objectives",
        "evidence": [{"source": "cost report", "summary": "A costs half of B"}],
    }

    arbitration_id = StrictUUIDField(
        required=False, allow_null=True, help_text="Not needed if at most one arbitration is pending."
    )
    decision = RequiredText(help_text="One of the labels, if the arbitration has options.")
    rationale = OptionalText()
    decision_type = RequiredText(max_length=MAX_NAME, required=False)
    evidence = StrictListField(child=EvidenceIn(), required=False, max_length=MAX_EVIDENCE)
    decided_by = AgentId(required=False, help_text="The deciding agent, if neither the key nor X-Agent-ID names it.")


class DelegationScopeIn(StrictSerializer):
    """Scope of a delegation. Without `intents` and `portfolios` it is valid everywhere, without `actions` for all of them."""

    intents = StrictListField(child=StrictUUIDField(), required=False, max_length=MAX_SCOPE_ENTRIES)
    portfolios = StrictListField(child=StrictUUIDField(), required=False, max_length=MAX_SCOPE_ENTRIES)
    actions = StrictListField(child=RequiredText(max_length=MAX_NAME), required=False, max_length=MAX_SCOPE_ENTRIES)


class CreateDelegation(StrictSerializer):
    example = {
        "delegate": "agent:lead",
        "scope": {"intents": [], "portfolios": [], "actions": ["decide"]},
        "constraints": {"max_cost": 100},
    }

    delegate = AgentId(help_text="The agent that receives the right.")
    scope = DelegationScopeIn(required=False)
    constraints = JSONObjectField(required=False)
    expires_at = StrictDateTimeField(required=False, allow_null=True)
    actor = AgentId(required=False, help_text="The delegating agent, if neither the key nor X-Agent-ID names it.")
