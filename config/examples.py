"""What the API's description says of single operations: a sentence or two, and a body to begin with."""

from typing import Any

ID = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"

DESCRIPTIONS = {
    "create_intent": "Its status is `draft`; with dependencies it is `blocked` until all of them are completed.",
    "update_intent": "Give what changes; `null` empties a field. Raises the version by 1.",
    "update_state": "All changes apply, or none. `state` sets each of its keys; `patches` set, append and remove along JSON Pointers.",
    "set_status": "Completing unblocks the intents that waited for this one. Completed and abandoned are final. "
    "The status that it has already: nothing changes.",
    "get_graph": "All that can be reached through children and dependencies, in a fixed number of queries.",
    "add_dependency": "An open dependency blocks the intent until it is completed. Circles are refused with their path.",
    "log_event": "For types of your own: comments, tool calls, LLM requests. The server writes its own types itself.",
    "log_events": "All of them, in this order, or none.",
    "get_events": "By `sequence`, which counts 1, 2, 3 … within the intent without a gap.",
    "list_events": "By `position`, one order over all intents. Go on with `after` or `cursor`; nothing is ever passed by.",
    "create_key": "The answer shows the key itself, this once.",
    "revoke_key": "Ends it for good: at once in this process, within seconds in others.",
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
    "create_key": {"name": "nightly report", "role": "agent", "agent_id": "agent:report"},
}
