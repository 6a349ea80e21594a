"""Representation of intents, events, assignments and graphs in responses (protocol §3)."""

from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import JSONObjectField
from core.api.representation import ResponseSerializer
from core.db.sql_rows import Row
from intents.models import EdgeKind, Intent, Status

EDGE_TYPES: dict[str, str] = {EdgeKind.CHILD: "parent", EdgeKind.DEPENDENCY: "dependency"}


class IntentAgentOut(ResponseSerializer):
    agent_id = serializers.CharField()
    role = serializers.CharField()


class IntentOut(ResponseSerializer):
    example = {
        "id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21",
        "title": "Analyze customer feedback",
        "description": "Process and categorize all Q4 customer feedback",
        "status": "active",
        "state": {"progress": 0.5},
        "constraints": {"max_cost": 50.0},
        "confidence": 80,
        "version": 3,
        "parent_intent_id": None,
        "depends_on": [],
        "agents": [{"agent_id": "agent:research", "role": "worker"}],
        "created_by": "ada",
        "created_at": "2027-01-15T09:30:00.000000Z",
        "updated_at": "2027-01-15T09:30:00.000000Z",
        "last_sequence": 5,
    }

    id = serializers.UUIDField()
    title = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=Status.choices)
    state = JSONObjectField()
    constraints = JSONObjectField()
    confidence = serializers.IntegerField(allow_null=True, min_value=0, max_value=100)
    version = serializers.IntegerField(min_value=1)
    parent_intent_id = serializers.UUIDField(allow_null=True)
    depends_on = serializers.ListField(child=serializers.UUIDField())
    agents = IntentAgentOut(many=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    last_sequence = serializers.IntegerField(min_value=0)


class EffectiveIntentOut(IntentOut):
    effective_constraints = JSONObjectField(required=False, help_text="Only with `effective=true`.")


class BlockedIntentOut(IntentOut):
    waiting_for = serializers.SerializerMethodField()

    def get_waiting_for(self, intent: Intent) -> list[UUID]:
        return [each for found in self.context["waiting_for"] for each in found.get(intent.pk, [])]


class BriefOut(ResponseSerializer):
    example = {
        "intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21",
        "sequence": 12,
        "text": "goal: Analyze customer feedback [#1]\nstatus: active, version 3, since 2027-01-15T09:30:00Z by ada [#4]\nleft out: event 12 [#12]",
        "left_out": {"state": 0, "agent": 0, "question": 0, "decision": 0, "lease": 0, "failure": 0, "event": 12},
    }

    intent_id = serializers.UUIDField()
    sequence = serializers.IntegerField(min_value=1, help_text="The intent's last event that it knows.")
    text = serializers.CharField(help_text="Lines that each end with the `sequence` of their event: `[#12]`.")
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="Lines that did not fit, by kind.")


class EventOut(ResponseSerializer):
    example = {
        "id": "0199f3a2-7c45-7a08-8b1f-6c2d9e4f7a10",
        "intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21",
        "portfolio_id": None,
        "sequence": 5,
        "position": 4711,
        "event_type": "state_patched",
        "actor": "agent:research",
        "payload": {"patches": [{"op": "set", "path": "progress", "value": 0.5}], "version": 3},
        "trace_id": None,
        "parent_event_id": None,
        "created_at": "2027-01-15T09:30:00.000000Z",
    }

    id = serializers.UUIDField(source="uid")
    intent_id = serializers.UUIDField(allow_null=True)
    portfolio_id = serializers.UUIDField(allow_null=True)
    sequence = serializers.IntegerField(allow_null=True, help_text="1, 2, 3 … within its intent.")
    position = serializers.IntegerField(
        allow_null=True, help_text="Server-wide order over all intents. Null only in the response to the write itself."
    )
    event_type = serializers.CharField()
    actor = serializers.CharField()
    payload = JSONObjectField()
    trace_id = serializers.CharField(allow_null=True)
    parent_event_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class EventBatchOut(ResponseSerializer):
    events = EventOut(many=True, source="*")


class AgentAssignmentOut(ResponseSerializer):
    intent_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    role = serializers.CharField()
    assigned_by = serializers.CharField()
    assigned_at = serializers.DateTimeField()


class GraphNodeOut(ResponseSerializer):
    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    version = serializers.IntegerField(min_value=1)
    agents = IntentAgentOut(many=True)
    created_by = serializers.CharField()
    parent_intent_id = serializers.UUIDField(allow_null=True)
    updated_at = serializers.DateTimeField()


class GraphEdgeOut(ResponseSerializer):
    """`parent`: from a parent to its child; `dependency`: from an intent to what it depends on."""

    vars()["from"] = serializers.UUIDField(source="waiter_id")  # A keyword.
    to = serializers.UUIDField(source="awaited_id")
    type = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField([*EDGE_TYPES.values()]))
    def get_type(self, edge: Row) -> str:
        return EDGE_TYPES[edge.kind]


class AggregateStatusOut(ResponseSerializer):
    total = serializers.IntegerField()
    by_status = serializers.DictField(child=serializers.IntegerField())
    completion_percentage = serializers.FloatField()
    blocking_intents = serializers.ListField(child=serializers.UUIDField())
    ready_intents = serializers.ListField(child=serializers.UUIDField())


class IntentGraphOut(ResponseSerializer):
    root = serializers.UUIDField()  # type: ignore[assignment] # DRF takes declared fields out of the class.
    nodes = GraphNodeOut(many=True)
    edges = GraphEdgeOut(many=True)
    aggregate_status = AggregateStatusOut()
