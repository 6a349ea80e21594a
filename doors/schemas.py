"""JSON Schemas of the tools' arguments and results. What an argument may be in detail, the operation checks."""

from typing import Any

Schema = dict[str, Any]


def text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def whole(description: str, **more: Any) -> Schema:
    return {"type": "integer", "description": description, **more}


def flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def mapping(description: str) -> Schema:
    return {"type": "object", "description": description}


def sequence(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items}


def arguments(properties: dict[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def result(properties: dict[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


INTENT_ID = text("Id of the intent", format="uuid")
VERSION = whole("Version of the intent that you have read; if it has changed since, nothing is written", minimum=1)
KEY = text("Text of your own: the same call with the same key is done once within 24 hours", minLength=1, maxLength=255)
LIMIT = whole("Number of results at most", minimum=1, maximum=1000, default=20)

INTENT = result(
    {
        "id": text("Id"),
        "title": text("Goal"),
        "description": {"type": ["string", "null"]},
        "status": text("draft, pending, active, blocked, completed or abandoned"),
        "version": whole("For the next write"),
        "agents": sequence("Assigned agents", {"type": "object"}),
        "state": mapping("Structured state"),
    },
    "id",
    "title",
    "status",
    "version",
)
LEASE = result(
    {"id": text("Id"), "scope": text("Scope"), "agent_id": text("Holder"), "expires_at": text("End")}, "id", "scope", "expires_at"
)
EVENT = result(
    {
        "id": text("Id"),
        "sequence": {"type": ["integer", "null"]},
        "position": {"type": ["integer", "null"]},
        "event_type": text("Type"),
        "actor": text("Actor"),
        "payload": mapping("Data"),
        "created_at": text("Time"),
    },
    "id",
    "event_type",
    "actor",
    "payload",
)
