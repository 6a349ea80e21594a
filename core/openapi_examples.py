"""OpenAPI descriptions and example bodies of single operations."""

from typing import Any

ID = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"

DESCRIPTIONS = {
    "discover": "The first request of a client that knows nothing but the address. It needs no key.",
    "discover_compatibility": "Of the protocol and of the API, and what this server can do. It needs no key.",
    "list_intents": "Newest first by default (`ordering`). Filters combine; `status` accepts several values, separated by "
    "commas.",
    "get_intent": "The `ETag` is the version for `If-Match`.",
    "get_agents": "With their roles, in the order of their assignment.",
    "assign_agent": "Changes the role of an agent that is already assigned: 200 instead of 201.",
    "unassign_agent": "Idempotent.",
    "get_agent_intents": "Empty for an unknown agent.",
    "get_children": "Direct children. An intent completes only when all of them are completed or abandoned.",
    "get_descendants": "Descendants at any depth.",
    "get_ancestors": "The parent, its parent and so on, the nearest first.",
    "get_dependencies": "Direct dependencies. While one is not completed, the intent is `blocked`.",
    "get_dependents": "Direct dependents. They are unblocked when all of their dependencies are completed.",
    "get_ready": "Open children whose dependencies are all completed.",
    "get_blocked": "The other open children, each with the ids in `waiting_for`.",
    "create_child_intent": "Same as creating an intent. The parent completes only after the child.",
    "remove_dependency": "Removing the last open dependency unblocks the intent. Idempotent.",
    "get_intent_portfolios": "Oldest first.",
    "list_portfolios": "Newest first.",
    "get_portfolio_intents": "Highest priority first.",
    "remove_intent_from_portfolio": "Idempotent.",
    "create_intent": "The status is `draft`; with dependencies it is `blocked` until all of them are completed.",
    "update_intent": "Send the fields to change; `null` clears a field. Increments the version.",
    "update_state": "All changes apply, or none. `state` sets each of its keys; `patches` set, append and remove at JSON "
    "Pointers.",
    "set_status": "Completing unblocks the intents that depend on this one. Completed and abandoned are final. Setting the "
    "current status changes nothing.",
    "get_graph": "Everything reachable through children and dependencies, in a fixed number of queries.",
    "add_dependency": "An open dependency blocks the intent until it is completed. Cycles are refused with their path.",
    "log_event": "For your own types: comments, tool calls, LLM requests. Types of the server are reserved.",
    "log_events": "All of them in this order, or none.",
    "get_events": "By `sequence`, which counts 1, 2, 3 … within the intent without gaps.",
    "list_events": "By `position`, one order over all intents. Continue with `after` or `cursor`; no event is missed.",
    "create_portfolio": "It starts `active` and empty. `governance_policy` has its completion rules and the constraints of its "
    "members.",
    "update_portfolio": "Send the fields to change. A policy replaces the previous one and may complete the portfolio; only "
    "the key that created it, arbiters and operators can change it. `If-Match` prevents lost updates.",
    "update_portfolio_status": "Completed and abandoned are final. With `require_all_completed` it completes only when all of "
    "its members are completed.",
    "get_portfolio": "With all members, the highest priority first. `blocking_intents` are blocked; `ready_intents` have no "
    "open dependency.",
    "add_intent_to_portfolio": "Once per portfolio. `auto_complete_threshold` may complete the portfolio if the intent is "
    "already completed.",
}

BODIES: dict[str, Any] = {
    "create_intent": {
        "title": "Analyze customer feedback",
        "description": "Process and categorize all Q4 customer feedback",
        "constraints": {"max_cost": 50.0, "deadline": "2027-01-15", "quality_threshold": 0.95},
        "assign": ["agent:research"],
    },
    "create_child_intent": {"title": "Diagnose Root Cause", "assign": "agent:diagnostics"},
    "update_intent": {"title": "Analyze customer feedback of Q4", "confidence": 80},
    "update_state": {
        "patches": [{"op": "set", "path": "progress", "value": 0.5}, {"op": "append", "path": "/notes", "value": "begun"}]
    },
    "set_status": {"status": "active", "reason": "All inputs are here"},
    "add_dependency": {"depends_on": [ID]},
    "assign_agent": {"agent_id": "agent:research", "role": "lead"},
    "log_event": {"event_type": "comment", "payload": {"message": "Starting analysis phase"}},
    "log_events": {
        "events": [
            {"event_type": "tool_call_started", "payload": {"tool_name": "web_search"}, "trace_id": "run-7"},
            {
                "event_type": "tool_call_completed",
                "payload": {"tool_name": "web_search", "duration_ms": 1500},
                "trace_id": "run-7",
            },
        ]
    },
    "create_portfolio": {
        "name": "Paris Trip 2027",
        "description": "Complete vacation planning",
        "governance_policy": {"require_all_completed": True, "shared_constraints": {"budget": 5000}},
    },
    "update_portfolio": {"governance_policy": {"auto_complete_threshold": 80}},
    "update_portfolio_status": {"status": "completed", "reason": "Everything is booked"},
    "add_intent_to_portfolio": {"intent_id": ID, "role": "primary", "priority": 100},
}

_AT = "2027-01-15T09:30:00.000000Z"
_OTHER = "0199f3a2-7c45-7a08-8b1f-6c2d9e4f7a10"

_INTENT = {
    "id": ID,
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
    "created_at": _AT,
    "updated_at": _AT,
    "last_sequence": 5,
}

OBJECTS: dict[str, Any] = {
    "Intent": _INTENT,
    "Event": {
        "id": _OTHER,
        "intent_id": ID,
        "portfolio_id": None,
        "sequence": 5,
        "position": 4711,
        "event_type": "state_patched",
        "actor": "agent:research",
        "payload": {"patches": [{"op": "set", "path": "progress", "value": 0.5}], "version": 3},
        "trace_id": None,
        "parent_event_id": None,
        "created_at": _AT,
    },
    "Problem": {
        "type": "/problems/version_conflict",
        "title": "Version conflict",
        "status": 409,
        "code": "version_conflict",
        "detail": "Intent is at version 4; If-Match said 3.",
        "message": "Intent is at version 4; If-Match said 3.",
        "request_id": "0199f3a27c4d7e0a",
        "current_version": 4,
    },
}
"""An object of each of the kinds that clients meet most."""
