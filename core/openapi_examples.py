"""What the API's description says of single operations: a sentence or two, and a body to begin with."""

from typing import Any

ID = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"

DESCRIPTIONS = {
    "discover": "The first request of a client that knows nothing but the address. It needs no key.",
    "discover_compatibility": "Of the protocol and of the API, and what this server can do. It needs no key.",
    "list_intents": "The newest first, unless `ordering` says otherwise. Filters add up; `status` may name several, divided by commas.",
    "get_intent": "`ETag` is its version, for `If-Match`.",
    "get_agents": "With their roles, in the order in which they were assigned.",
    "assign_agent": "One that is assigned already takes the new role; 201 where it was not assigned before, else 200.",
    "unassign_agent": "One that is not assigned stays so.",
    "get_agent_intents": "None for an agent that nobody has named yet.",
    "get_children": "Directly below it. It completes only when all of them are completed or abandoned.",
    "get_descendants": "At any depth.",
    "get_ancestors": "Its parent, the parent's parent and so on: the nearest first.",
    "get_dependencies": "Directly. While one is not completed, the intent is `blocked`.",
    "get_dependents": "Directly. They can go on once this one, and what else they wait for, is completed.",
    "get_ready": "Its open children whose dependencies are all completed.",
    "get_blocked": "Its other open children, each with the ids in `waiting_for`.",
    "create_child_intent": "As for any intent; its parent completes only after it.",
    "remove_dependency": "Removing the last open one unblocks the intent. One that it does not have stays so.",
    "get_leases": "The active ones, unless `status` says otherwise.",
    "list_leases": "Who holds what at the moment, or with another `status`.",
    "get_costs": "The oldest first, with the summary of all of them, whatever the page.",
    "get_failures": "The oldest first.",
    "get_retry_policy": "404 while none is set.",
    "get_arbitrations": "The oldest first. One that has run out is `expired`, marked or not.",
    "list_arbitrations": "With `status=pending`, what waits for somebody to decide.",
    "get_decisions": "The oldest first. They are never changed and never removed.",
    "list_delegations": "Those that have ended, too: `revoked_at` and `expires_at` say when.",
    "get_attachments": "The oldest first; `url` leads to the bytes.",
    "get_intent_portfolios": "The oldest first.",
    "list_portfolios": "The newest first.",
    "get_portfolio_intents": "The highest priority first.",
    "remove_intent_from_portfolio": "One that is not a member stays so.",
    "get_subscriptions": "Without their secrets.",
    "list_subscriptions": "Of intents, of portfolios, and to everything, without their secrets.",
    "get_subscription": "With its last delivery, without its secret.",
    "delete_subscription": "What it still had to hear is not sent any more. One that is gone stays so.",
    "list_keys": "The newest first, those that have ended as well; never with their secrets.",
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
    "follow_intent": "Server-Sent Events: `event: connected` at once, then each event as `id: <position>`, `event: <type>`, `data: <Event>`; a comment "
    "after 15 s of silence, `event: bye` when the server ends it. Send the last `id` as `Last-Event-ID` and it goes on after it, without a hole. "
    "`/subscribe/intents/{intent_id}` is the same.",
    "follow_portfolio": "As for an intent. An intent belongs to it from `added_to_portfolio` to `removed_from_portfolio`, also on open streams. "
    "`/subscribe/portfolios/{portfolio_id}` is the same.",
    "follow_agent": "As for an intent. An intent belongs to it from `agent_assigned` to `agent_unassigned`, also on open streams. "
    "`/subscribe/agents/{agent_id}` is the same.",
    "follow_events": "As for an intent. The same events, for several topics at once, come over the WebSocket `/ws/v1/events`.",
    "acquire_lease": "A scope and all that overlaps it have one holder. Who holds exactly this scope gets its lease again.",
    "renew_lease": "The new end counts from now. A lease that has run out is gone.",
    "release_lease": "For its holder. One that has ended already stays as it is.",
    "revoke_lease": "For arbiters and operators. The holder's next write with the lease's fencing token fails.",
    "record_cost": "It is recorded also above a budget, and on a final intent: it is spent already. `USD` and `cents` are money.",
    "get_cost_summary": "Money is added up in USD, and is what `total` and the breakdowns show if there is any. "
    "Units are never added across kinds.",
    "get_portfolio_costs": "Each member once; a member's descendants count only if they are members as well.",
    "create_key": "The answer shows the key itself, this once.",
    "revoke_key": "Ends it for good: at once in this process, within seconds in others.",
    "set_retry_policy": "Replaces the whole policy: what is left out takes its default. Retries that are waiting keep their time.",
    "record_failure": "The policy says whether and when to try again: at `retry_at` the server writes `retry_due`. When the attempts "
    "are used up, or the error is not retryable, it writes `retries_exhausted`, and the fallback agent takes over. Without "
    "`attempt` it is the one after the agent's last.",
    "request_arbitration": "With `blocking` the intent is `blocked` until the decision, and then goes back where it was. With `options` the "
    "decision must be one of their labels. After `expires_at` nobody can decide it any more.",
    "get_arbitration": "With `wait` the answer comes as soon as it is no longer pending, at the latest after so many seconds.",
    "withdraw_arbitration": "For its requester, arbiters and operators. One that is withdrawn already stays as it is.",
    "record_decision": "Decides the arbitration that is named, else the only pending one, for good; where none is pending, the decision "
    "stands alone. For operators, for arbiters except on what they asked for themselves, and for agents with a delegation.",
    "create_delegation": "For arbiters and operators. Lets an agent decide (the action `decide`) within the scope; an empty list is no limit.",
    "revoke_delegation": "For its delegator and operators. It ends at once.",
    "create_portfolio": "It begins `active` and empty. `governance_policy` says what completes it and what its members share.",
    "update_portfolio": "Give what changes. A policy replaces the one before, and may complete the portfolio; only the key that made it, "
    "arbiters and operators change it. With `If-Match` nobody's change is overwritten.",
    "update_portfolio_status": "Completed and abandoned are final. With `require_all_completed` it completes only when its members have.",
    "get_portfolio": "With all members, the highest priority first. `blocking_intents` are blocked; `ready_intents` wait for nothing.",
    "add_intent_to_portfolio": "Once only. `auto_complete_threshold` may complete the portfolio, if the intent is completed already.",
    "add_attachment": "The bytes come as base64 within the JSON, or as a form's `file` (no base64, and for large files better), or "
    "stay where they are: then say `storage_url` and `size`. Equal bytes are stored once.",
    "get_attachment_content": "Byte for byte as they came. One range at a time; several are answered with the whole. "
    "404 if the bytes are not kept here: its text says where they are.",
    "delete_attachment": "Its bytes go as well, once no other attachment has the same.",
    "subscribe": "From now on the callback is told of the intent's events, each at least once, signed as Standard Webhooks has it. "
    "The answer shows the `secret`, this once.",
    "unsubscribe": "What it still had to hear is not sent any more.",
    "create_stream_token": "For browsers, whose `EventSource` can send no key: `new EventSource(path + '?token=' + token)`. It reads what the "
    "key reads that made it, is of no use elsewhere, and ends with that key. Streams that are open when it expires go on; to open one "
    "again needs another token.",
    "create_subscription": "To an intent, to a portfolio and its members, or, with neither, to everything. The answer shows the "
    "`secret`, this once.",
    "update_subscription": "Give what changes. A paused one hears nothing of what happens meanwhile; a disabled one can be made active. "
    "With `rotate_secret` the answer shows the new secret, and for 24 hours the one before signs as well.",
    "list_deliveries": "With all attempts: when, what was answered, and how long it took.",
    "redeliver": "Under the same id, whether it has arrived or is dead. It begins a new round of attempts.",
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
    "acquire_lease": {"scope": "content.draft", "duration_seconds": 300},
    "renew_lease": {"duration_seconds": 600},
    "revoke_lease": {"reason": "The agent does not answer"},
    "record_cost": {
        "cost_type": "api_call",
        "amount": 0.05,
        "unit": "USD",
        "provider": "openai",
        "metadata": {"model": "gpt-4", "tokens": 1500},
    },
    "create_key": {"name": "nightly report", "role": "agent", "agent_id": "agent:report"},
    "set_retry_policy": {
        "max_attempts": 5,
        "base_delay_seconds": 1.0,
        "max_delay_seconds": 60.0,
        "backoff_multiplier": 2.0,
        "retryable_errors": ["timeout", "rate_limit", "temporary_failure"],
        "fallback_agent_id": "agent:backup",
    },
    "record_failure": {"error_type": "rate_limit", "error_message": "API rate limit exceeded", "attempt": 1, "will_retry": True},
    "request_arbitration": {
        "reason": "Conflicting interpretations of the requirements",
        "context": {"conflicting_agents": ["agent:research", "agent:synth"]},
        "options": [{"label": "option_a", "rationale": "Cheaper"}, {"label": "option_b", "rationale": "Faster"}],
        "blocking": True,
    },
    "withdraw_arbitration": {"reason": "We agree after all"},
    "record_decision": {
        "decision": "option_a",
        "rationale": "Option A better aligns with the business objectives",
        "evidence": [{"source": "cost report", "summary": "A costs half of B"}],
    },
    "create_delegation": {
        "delegate": "agent:lead",
        "scope": {"intents": [], "portfolios": [], "actions": ["decide"]},
        "constraints": {"max_cost": 100},
    },
    "create_portfolio": {
        "name": "Paris Trip 2027",
        "description": "Complete vacation planning",
        "governance_policy": {"require_all_completed": True, "shared_constraints": {"budget": 5000}},
    },
    "update_portfolio": {"governance_policy": {"auto_complete_threshold": 80}},
    "update_portfolio_status": {"status": "completed", "reason": "Everything is booked"},
    "add_intent_to_portfolio": {"intent_id": ID, "role": "primary", "priority": 100},
    "subscribe": {
        "subscriber_id": "service:dashboard",
        "callback_url": "https://dashboard.example.com/webhooks/intent",
        "event_types": ["state_patched", "status_changed"],
    },
    "create_stream_token": {"intent_id": ID, "expires_in_seconds": 300},
    "create_subscription": {"subscriber_id": "service:audit", "callback_url": "https://audit.example.com/webhooks/all"},
    "update_subscription": {"status": "active", "rotate_secret": True},
    "add_attachment": {
        "filename": "quarterly_analysis.csv",
        "content_type": "text/csv",
        "content_base64": "cXVhcnRlcixhbW91bnQKUTQsMTIzNAo=",
        "description": "Q4 financial analysis report",
    },
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
    "Lease": {
        "id": _OTHER,
        "intent_id": ID,
        "agent_id": "agent:research",
        "scope": "content.draft",
        "status": "active",
        "fencing_token": 1,
        "acquired_at": _AT,
        "expires_at": "2027-01-15T09:35:00.000000Z",
        "released_at": None,
    },
    "Decision": {
        "id": _OTHER,
        "intent_id": ID,
        "arbitration_id": "0199f3a2-7c49-7b11-9c30-8d4e6f5a2b32",
        "decision": "option_a",
        "rationale": "Option A better aligns with the business objectives",
        "decision_type": "arbitration",
        "evidence": [{"source": "cost report", "summary": "A costs half of B"}],
        "decided_by": "ada",
        "created_at": _AT,
    },
    "Cost": {
        "id": _OTHER,
        "intent_id": ID,
        "agent_id": "agent:research",
        "cost_type": "api_call",
        "amount": 0.05,
        "unit": "USD",
        "provider": "openai",
        "model": "gpt-4",
        "metadata": {"tokens": 1500},
        "recorded_at": _AT,
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
