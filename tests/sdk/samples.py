"""An intent, an event and a lease as the server sends them."""

from typing import Any

INTENT: dict[str, Any] = {
    "id": "11111111-1111-4111-8111-111111111111",
    "title": "Book flights",
    "description": None,
    "status": "draft",
    "state": {},
    "constraints": {},
    "confidence": None,
    "version": 1,
    "parent_intent_id": None,
    "depends_on": [],
    "agents": [{"agent_id": "ada", "role": "worker"}],
    "created_by": "ada",
    "created_at": "2026-01-02T03:04:05.678901Z",
    "updated_at": "2026-01-02T03:04:05.678901Z",
    "last_sequence": 1,
}

EVENT: dict[str, Any] = {
    "id": "22222222-2222-4222-8222-222222222222",
    "intent_id": INTENT["id"],
    "portfolio_id": None,
    "sequence": 1,
    "position": None,
    "event_type": "comment",
    "actor": "ada",
    "payload": {},
    "trace_id": None,
    "parent_event_id": None,
    "created_at": "2026-01-02T03:04:05.678901Z",
}

LEASE: dict[str, Any] = {
    "id": "33333333-3333-4333-8333-333333333333",
    "intent_id": INTENT["id"],
    "agent_id": "ada",
    "scope": "draft",
    "status": "active",
    "acquired_at": "2026-01-02T03:04:05.678901Z",
    "expires_at": "2026-01-02T03:09:05.678901Z",
    "released_at": None,
    "fencing_token": 7,
}
