"""Request bodies of intents, their graph, agents and events (protocol §3)."""

from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers

from access.serializers import AgentId
from core.agent_ids import AGENT_ID, MAX_AGENT_ID
from core.api.fields import (
    MAX_ENTRIES,
    VISIBLE,
    AnyJSONField,
    ItemOrListField,
    JSONObjectField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictListField,
    StrictUUIDField,
    require_json_size,
)
from core.api.serializers import StrictSerializer
from costs import budget_limits
from intents.events import CLIENT_TYPE, NewEvent
from intents.models import Status
from intents.operations import Assignee
from intents.patches import OPERATIONS, key_path

MAX_TITLE = 500
MAX_DESCRIPTION = 10_000
MAX_AGENTS = 100  # That one request assigns.
MAX_TRACE_ID = 255


CONSTRAINTS_SCHEMA = budget_limits.constraints_schema()


class Constraints(JSONObjectField):
    """An object; a list becomes `{"rules": [...]}`. Invalid cost limits are refused (rule I-7)."""

    json_schema = {"anyOf": [CONSTRAINTS_SCHEMA, {"type": "array", "maxItems": MAX_ENTRIES, "items": {}}]}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, list) and len(data) > MAX_ENTRIES:
            raise serializers.ValidationError(
                StrictListField.default_error_messages["max_length"].format(max_length=MAX_ENTRIES), "max_length"
            )
        constraints = super().to_internal_value({"rules": data} if isinstance(data, list) else data)
        if problems := budget_limits.limit_errors(constraints):
            raise serializers.ValidationError(problems, "unreadable_limit")
        return constraints


Title = partial(StrictCharField, max_length=MAX_TITLE, trim_whitespace=True, pattern=VISIBLE, pattern_message="cannot be empty")


Description = partial(StrictCharField, max_length=MAX_DESCRIPTION, required=False, allow_null=True, allow_blank=True)


Role = partial(StrictCharField, max_length=64, default="worker")


class AssigneeIn(StrictSerializer):
    """An agent id, or an object with its role."""

    shorthand = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_AGENT_ID,
        "pattern": f"^{AGENT_ID.pattern}$",
        **AgentId.json_schema,
    }

    default_error_messages = dict.fromkeys(("null", "not_an_object"), "must be an object or an agent id")

    agent_id = AgentId()
    role = Role()

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return Assignee(**super().run_validation({"agent_id": data} if isinstance(data, str) else data))


class ActorBody(StrictSerializer):
    """A body that may name the acting agent, for keys that are not bound to one (protocol §1.1)."""

    actor = AgentId(required=False, help_text="The acting agent, if neither the key nor X-Agent-ID names it.")


CHANGES_REQUIRED = {"minProperties": 1, "not": {"properties": {"actor": {}}, "required": ["actor"], "maxProperties": 1}}
"""At least one field besides `actor`. Client generators ignore this, unlike an `anyOf` of required fields."""


class CreatorBody(StrictSerializer):
    """A body that may name the creating agent. An empty `createdBy`, as clients of 0.x send it, names none."""

    aliases: ClassVar[dict[str, str]] = {"createdBy": "created_by"}

    def _resolve_aliases(self, data: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
        if data.get("createdBy") == "":
            data = {name: value for name, value in data.items() if name != "createdBy"}
        return super()._resolve_aliases(data, errors)


class NewIntent(CreatorBody):
    title = Title()
    description = Description()
    state = JSONObjectField(required=False)
    constraints = Constraints(required=False)
    confidence = StrictIntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    depends_on = StrictListField(child=StrictUUIDField(), required=False, max_length=1000)
    assign = ItemOrListField(child=AssigneeIn(), required=False, max_length=MAX_AGENTS, help_text="Agents, with their roles.")
    created_by = AgentId(required=False)


class CreateChild(NewIntent):
    aliases = {**CreatorBody.aliases, "initial_state": "state", "parent_id": "parent_intent_id"}
    example: ClassVar[dict[str, Any]] = {"title": "Diagnose Root Cause", "assign": [{"agent_id": "agent:diagnostics"}]}

    parent_intent_id = StrictUUIDField(required=False, allow_null=True, help_text="Needless: it can only be the one in the path.")


class CreateIntent(NewIntent):
    aliases = {**CreatorBody.aliases, "initial_state": "state", "parent_id": "parent_intent_id"}
    example = {
        "title": "Analyze customer feedback",
        "description": "Process and categorize all Q4 customer feedback",
        "constraints": {"max_cost": 50.0, "deadline": "2027-01-15", "quality_threshold": 0.95},
        "assign": [{"agent_id": "agent:research", "role": "lead"}],
    }

    parent_intent_id = StrictUUIDField(required=False, allow_null=True)


class UpdateIntent(ActorBody):
    example = {"title": "Analyze customer feedback of Q4", "confidence": 80}

    json_schema = CHANGES_REQUIRED

    title = Title(required=False)
    description = Description()
    constraints = Constraints(required=False)
    confidence = StrictIntegerField(min_value=0, max_value=100, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() - {"actor"}:
            raise serializers.ValidationError("give at least one of title, description, constraints, confidence")
        return attrs


class StatePatchIn(StrictSerializer):
    """One change of the state. `value` belongs to set and append."""

    json_schema = {
        "if": {"properties": {"op": {"const": "remove"}}, "required": ["op"]},
        "then": {"properties": {"value": False}, "additionalProperties": True},
        "else": {"properties": {"value": {}}, "required": ["value"], "additionalProperties": True},
    }

    op = StrictChoiceField(OPERATIONS)
    path = StrictCharField(max_length=1000, help_text="A key, or with a leading / a JSON Pointer (RFC 6901).")
    value = AnyJSONField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("value" in attrs) == (attrs["op"] == "remove"):
            raise serializers.ValidationError({"value": "is not valid with remove" if attrs["op"] == "remove" else "is required"})
        return attrs


class UpdateState(ActorBody):
    """State changes: either `state`, whose keys are set one by one, or `patches`."""

    example = {"patches": [{"op": "set", "path": "progress", "value": 0.5}, {"op": "append", "path": "/notes", "value": "begun"}]}

    json_schema = {
        "minProperties": 1,
        "not": {
            "anyOf": [
                {"properties": {"state": {}, "patches": {}}, "required": ["state", "patches"]},
                CHANGES_REQUIRED["not"],
            ]
        },
    }

    state = JSONObjectField(required=False, allow_empty=False)
    patches = StrictListField(child=StatePatchIn(), required=False, allow_empty=False, max_length=1000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("state" in attrs) == ("patches" in attrs):
            raise serializers.ValidationError("give either state or patches")
        if "state" in attrs:
            attrs["patches"] = [{"op": "set", "path": key_path(key), "value": value} for key, value in attrs.pop("state").items()]
        require_json_size("patches", attrs["patches"])  # The event that records them has no other limit.
        return attrs


class SetStatus(ActorBody):
    example = {"status": "active", "reason": "All inputs are here"}

    json_schema = {
        "if": {"properties": {"cascade": {"const": True}}, "required": ["cascade"]},
        "then": {"properties": {"status": {"const": Status.ABANDONED.value}}},
    }

    status = StrictChoiceField(Status.choices)
    reason = Description()
    cascade = StrictBooleanField(required=False, help_text="Abandons the open descendants as well.")


class AddDependencies(ActorBody):
    aliases = {"dependency_id": "depends_on"}
    example = {"depends_on": ["0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"]}

    depends_on = ItemOrListField(child=StrictUUIDField(), max_length=1000, allow_empty=False)


class AssignAgent(ActorBody):
    example = {"agent_id": "agent:research", "role": "lead"}

    agent_id = AgentId(help_text="The agent to assign.")
    role = Role()


class NewEventIn(StrictSerializer):
    event_type = StrictCharField(
        pattern=rf"\A{CLIENT_TYPE.pattern}\Z", pattern_message="must begin with a-z, followed by up to 99 of a-z, 0-9, _, . and -"
    )
    payload = JSONObjectField(required=False)
    trace_id = StrictCharField(max_length=MAX_TRACE_ID, required=False, allow_null=True)
    parent_event_id = StrictUUIDField(required=False, allow_null=True)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Accept a usual event at once: field by field it takes 40 times as long. Others get their errors that way."""
        return data if _is_usual_event(data) else super().run_validation(data)


_USUAL_MEMBERS = frozenset(["event_type", "payload", "trace_id"])


def _is_usual_event(data: Any) -> bool:
    return (
        type(data) is dict
        and data.keys() <= _USUAL_MEMBERS
        and type(event_type := data.get("event_type")) is str
        and CLIENT_TYPE.fullmatch(event_type) is not None
        and type(data.get("payload", {})) is dict
        and type(trace_id := data.get("trace_id", "-")) is str
        and 0 < len(trace_id) <= MAX_TRACE_ID
    )


class LogEvent(NewEventIn, ActorBody):
    example = {"event_type": "comment", "payload": {"message": "Starting analysis phase"}}


class LogEvents(ActorBody):
    example = {
        "events": [
            {"event_type": "tool_call_started", "payload": {"tool_name": "web_search"}, "trace_id": "run-7"},
            {
                "event_type": "tool_call_completed",
                "payload": {"tool_name": "web_search", "duration_ms": 1500},
                "trace_id": "run-7",
            },
        ]
    }

    events = StrictListField(child=NewEventIn(), allow_empty=False, max_length=settings.MAX_BATCH_EVENTS)


def new_event(values: dict[str, Any]) -> NewEvent:
    return NewEvent(values["event_type"], values.get("payload") or {}, values.get("trace_id"), values.get("parent_event_id"))
