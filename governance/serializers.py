"""Request bodies of arbitrations, decisions, permits and delegations (protocol §3, §9)."""

from functools import partial
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from access.serializers import AgentId
from core import strict_json
from core.agent_ids import fold_agent_id, has_invisible_characters
from core.api.fields import (
    VISIBLE,
    JSONObjectField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictListField,
    StrictUUIDField,
)
from core.api.serializers import StrictSerializer
from core.errors import TooLarge
from governance.actions import MEMBERS
from governance.answer_schemas import schema_problems
from governance.models import AGENT_ID, EFFECT_KEY, TARGET, VERB, PermitOutcome, Urgency
from governance.question_fields import MAX_STEPS, AudienceField, EscalationStepIn, FallbackIn, Recipient, RemindField
from governance.question_terms import ANSWERED, QUESTION, Question
from governance.recipients import USER
from governance.terms import MAX_ACTION, PERMIT_SECONDS, TERMS, Terms

MAX_TEXT = 10_000
MAX_LABEL = 200
MAX_SOURCE = 500
MAX_NOTE = 2_000
MAX_OPTIONS = 50
MAX_EVIDENCE = 100
MAX_NAME = 100
MAX_SCOPE_ENTRIES = 100
MAX_PATHS = 100
MAX_GRANTS = 20
MAX_QUORUM = 100
MAX_PERMIT_SECONDS = 86_400
FOR_ACTIONS = ("bind_version", "bind_paths", "permit_seconds")
POINTER = r"(/([^~/]|~[01])*)+"


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


class ActionIn(StrictSerializer):
    """The act: an operation of the API or another verb, its target and its parameters. `effect_key` names what must not be done twice."""

    example = {
        "verb": "payments.refund",
        "target": "order-1042",
        "params": {"amount": 120, "currency": "EUR"},
        "effect_key": "refund:order-1042",
    }

    verb = RequiredText(max_length=VERB, help_text="An operation id, whose params are its body; or a name of your own.")
    target = RequiredText(max_length=TARGET, help_text="For an operation, the first id in its path.")
    params = JSONObjectField(required=False)
    effect_key = RequiredText(max_length=EFFECT_KEY, required=False, allow_null=True)


def require_action_size(action: dict[str, Any]) -> dict[str, Any]:
    """Return the action. Raise TooLarge if it exceeds MAX_ACTION."""
    if not strict_json.fits(action, MAX_ACTION):
        raise TooLarge("The action is too large.", limit=MAX_ACTION)
    return action


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
    action = ActionIn(required=False, allow_null=True, help_text="The act that a grant permits once.")
    bind_version = StrictBooleanField(
        required=False, help_text="The permit ends when the intent's version changes; default: for operations of the API."
    )
    bind_paths = StrictListField(
        child=StrictCharField(max_length=MAX_NOTE, pattern=f"^{POINTER}$", pattern_message="must be a JSON Pointer like /a/b"),
        required=False,
        max_length=MAX_PATHS,
        help_text="JSON Pointers into the state; the permit ends when a value under them changes.",
    )
    grants = StrictListField(
        child=Label(max_length=MAX_LABEL, pattern=VISIBLE, pattern_message="cannot be empty"),
        required=False,
        allow_empty=False,
        max_length=MAX_GRANTS,
        help_text='The decisions that grant; default: ["approve"].',
    )
    permit_seconds = StrictIntegerField(
        required=False, min_value=1, max_value=MAX_PERMIT_SECONDS, help_text=f"Default: {PERMIT_SECONDS}."
    )
    quorum = StrictIntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_QUORUM, help_text="The principals that must grant."
    )

    response_schema = JSONObjectField(
        required=False,
        allow_null=True,
        help_text="Flat object schema of the answer: strings, numbers, integers and booleans, with title, description, bounds, "
        "enum, and the formats email, uri, date and date-time.",
    )
    audience = AudienceField(
        required=False, help_text="People and groups of people who may answer, besides arbiters and operators."
    )
    urgency = StrictChoiceField(Urgency.choices, required=False)
    remind_after_seconds = RemindField(required=False, help_text="From the request.")
    escalation = StrictListField(
        child=EscalationStepIn(), required=False, max_length=MAX_STEPS, help_text="Who joins the audience, and when."
    )
    fallback = FallbackIn(required=False, help_text="What happens at `expires_at`.")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        values["question"] = Question(**{name: values.pop(name) for name in QUESTION if name in values})
        terms = {name: values.pop(name) for name in TERMS if name in values}
        if terms.get("action") is None and (unbound := [name for name in FOR_ACTIONS if name in terms]):
            raise serializers.ValidationError({name: ErrorDetail("needs an action", "no_action") for name in unbound})
        if terms.get("action") is None and terms.get("quorum") is None and "grants" in terms:
            raise serializers.ValidationError({"grants": ErrorDetail("needs an action or a quorum", "no_action")})
        if terms.get("quorum") is not None and values["question"].response_schema is not None:
            raise serializers.ValidationError({"response_schema": ErrorDetail("cannot have a quorum", "quorum")})
        values["terms"] = Terms(**terms)
        labels = [option["label"] for option in values.get("options", ())]
        missing = [label for label in values["terms"].grants if label not in labels]
        if missing and labels and (terms.get("action") or terms.get("quorum")):
            message = f"has {missing[0][:60]!r}, which is none of the options"
            raise serializers.ValidationError({"grants": ErrorDetail(message, "no_such_option")})
        return values

    def validate_response_schema(self, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is None:
            return None
        problems: dict[str, Any] = {path: ErrorDetail(message, code) for path, message, code in schema_problems(schema)}
        if problems:
            raise serializers.ValidationError(problems)
        return schema

    def validate_action(self, action: dict[str, Any] | None) -> dict[str, Any] | None:
        if action is None:
            return None
        whole = {**action, "params": action.get("params", {}), "effect_key": action.get("effect_key")}
        return require_action_size({name: whole[name] for name in MEMBERS})

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


class RemindArbitration(StrictSerializer):
    example: ClassVar[dict[str, Any]] = {"actor": "ada"}

    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")


class AssignArbitration(StrictSerializer):
    example: ClassVar[dict[str, Any]] = {"assignee": "user:grace"}

    assignee = Recipient(allow_null=True, help_text="A person who may decide it, like user:grace. Null: nobody.")
    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")

    def validate_assignee(self, assignee: str | None) -> str | None:
        if assignee is not None and not assignee.startswith(USER):
            raise serializers.ValidationError("must be a person, like user:grace", "no_person")
        return assignee


class RequestInformation(StrictSerializer):
    example: ClassVar[dict[str, Any]] = {"question": "Which customers are affected?"}

    question = RequiredText(max_length=MAX_NOTE)
    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")


class ProvideInformation(StrictSerializer):
    example: ClassVar[dict[str, Any]] = {"answer": "The 212 that paid between 02:14 and 02:40."}

    answer = RequiredText()
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
    decision = RequiredText(
        required=False,
        help_text=f"One of the labels, if the arbitration has options; with an answer, the default is {ANSWERED!r}.",
    )
    answer = JSONObjectField(required=False, allow_null=True, help_text="Valid against the arbitration's response_schema.")
    rationale = OptionalText()
    decision_type = RequiredText(max_length=MAX_NAME, required=False)
    evidence = StrictListField(child=EvidenceIn(), required=False, max_length=MAX_EVIDENCE)
    rebind = StrictBooleanField(
        required=False, help_text="Grant although the intent has changed since the request; needs `seen_version`."
    )
    seen_version = StrictIntegerField(
        required=False, min_value=1, help_text="The version of the intent that the decision is based on."
    )
    decided_by = AgentId(required=False, help_text="The deciding agent, if neither the key nor X-Agent-ID names it.")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        if "decision" not in values:
            if values.get("answer") is None:
                raise serializers.ValidationError({"decision": ErrorDetail("is required without an answer", "no_decision")})
            values["decision"] = ANSWERED
        if values.get("rebind") and "seen_version" not in values:
            raise serializers.ValidationError({"seen_version": ErrorDetail("is required with rebind", "no_version")})
        return values


class SpendPermit(StrictSerializer):
    example = {"action": ActionIn.example}

    action = ActionIn()
    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")

    def validate_action(self, action: dict[str, Any]) -> dict[str, Any]:
        return require_action_size({"params": {}, **action})


class RecordOutcome(StrictSerializer):
    example = {"outcome": "succeeded", "note": "Refund re_123"}

    outcome = StrictChoiceField(PermitOutcome.values)
    note = OptionalText(max_length=MAX_NOTE)
    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")


class RevokePermit(StrictSerializer):
    example = {"reason": "The customer has cancelled"}

    reason = OptionalText(max_length=MAX_NOTE)
    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")


class SetGate(StrictSerializer):
    example = {"verb": "set_status", "when": {"status": "completed"}, "quorum": 2, "permit_seconds": 600}

    verb = RequiredText(max_length=VERB, help_text="An operation id of the API, or the verb of an act outside.")
    intent_id = StrictUUIDField(required=False, allow_null=True)
    portfolio_id = StrictUUIDField(required=False, allow_null=True, help_text="The portfolio and its members.")
    when = JSONObjectField(required=False, help_text="Values for which it holds; for operations: `status`, where there is one.")
    quorum = StrictIntegerField(required=False, min_value=1, max_value=MAX_QUORUM, help_text="Default: 1.")
    deciders = StrictListField(
        child=RequiredText(max_length=AGENT_ID),
        required=False,
        max_length=MAX_SCOPE_ENTRIES,
        help_text="`user:NAME`, `group:NAME`, or agents with a key of their own; none: all who may decide.",
    )
    permit_seconds = StrictIntegerField(required=False, allow_null=True, min_value=1, max_value=MAX_PERMIT_SECONDS)
    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        if values.get("intent_id") and values.get("portfolio_id"):
            raise serializers.ValidationError({"portfolio_id": ErrorDetail("cannot be given with intent_id", "one_place")})
        return values


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
