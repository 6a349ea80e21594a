"""Representation of intents, events, assignments and graphs in responses. Plain dicts: a serializer takes ten times as long."""

from typing import Any

from core import encoding
from core.db.sql_rows import Row
from intents.models import Assignment, EdgeKind, Intent

EDGE_TYPES: dict[str, str] = {EdgeKind.CHILD: "parent", EdgeKind.DEPENDENCY: "dependency"}


def intent_body(intent: Intent | Row) -> dict[str, Any]:
    return {
        "id": encoding.identifier(intent.id),
        "title": intent.title,
        "description": intent.description,
        "status": str(intent.status),
        "state": encoding.json(intent.state),
        "constraints": encoding.json(intent.constraints),
        "confidence": intent.confidence,
        "version": intent.version,
        "parent_intent_id": encoding.identifier(intent.parent_intent_id),
        "depends_on": encoding.json(intent.depends_on),
        "agents": encoding.json(intent.agents),
        "created_by": intent.created_by,
        "created_at": encoding.instant(intent.created_at),
        "updated_at": encoding.instant(intent.updated_at),
        "last_sequence": intent.last_sequence,
    }


def event_body(event: Row) -> dict[str, Any]:
    return {
        "id": encoding.identifier(event.uid),
        "intent_id": encoding.identifier(event.intent_id),
        "portfolio_id": encoding.identifier(event.portfolio_id),
        "sequence": event.sequence,
        "position": event.position,
        "event_type": event.event_type,
        "actor": event.actor,
        "payload": encoding.json(event.payload),
        "trace_id": event.trace_id,
        "parent_event_id": encoding.identifier(event.parent_event_id),
        "created_at": encoding.instant(event.created_at),
    }


def agent_body(assignment: Assignment) -> dict[str, Any]:
    return {"agent_id": assignment.agent_id, "role": assignment.role}


def assignment_body(assignment: Assignment) -> dict[str, Any]:
    return {
        "intent_id": str(assignment.intent_id),
        "agent_id": assignment.agent_id,
        "role": assignment.role,
        "assigned_by": assignment.assigned_by,
        "assigned_at": encoding.instant(assignment.assigned_at),
    }


def node_body(node: Row) -> dict[str, Any]:
    return {
        "id": encoding.identifier(node.id),
        "title": node.title,
        "status": node.status,
        "version": node.version,
        "agents": encoding.json(node.agents),
        "created_by": node.created_by,
        "parent_intent_id": encoding.identifier(node.parent_intent_id),
        "updated_at": encoding.instant(node.updated_at),
    }


def edge_body(edge: Row) -> dict[str, Any]:
    return {
        "from": encoding.identifier(edge.waiter_id),
        "to": encoding.identifier(edge.awaited_id),
        "type": EDGE_TYPES[edge.kind],
    }
