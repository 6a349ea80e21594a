"""Operations of the API that an action may name and a gate may bind (protocol §9). `tests/governance/test_gates.py` compares them with `openapi.yaml`."""

from typing import Any

OPERATIONS = frozenset(
    [
        "acquire_lease",
        "add_attachment",
        "add_dependency",
        "add_intent_to_portfolio",
        "assign_agent",
        "create_delegation",
        "create_intent",
        "create_portfolio",
        "delete_attachment",
        "log_event",
        "record_cost",
        "record_failure",
        "redeliver",
        "release_lease",
        "remove_dependency",
        "remove_intent_from_portfolio",
        "renew_lease",
        "revoke_delegation",
        "revoke_lease",
        "set_retry_policy",
        "set_status",
        "subscribe",
        "test_subscription",
        "unassign_agent",
        "unsubscribe",
        "update_intent",
        "update_portfolio",
        "update_portfolio_status",
        "update_state",
        "update_subscription",
    ]
)
"""Names of the operations; those that do the same have one name."""

ALIASES = {
    "create_child_intent": "create_intent",
    "create_intents": "create_intent",
    "join_lease_queue": "acquire_lease",
    "log_events": "log_event",
    "create_subscription": "subscribe",
    "delete_subscription": "unsubscribe",
    "abandon_portfolio": "update_portfolio_status",
    "complete_portfolio": "update_portfolio_status",
}
"""Operations, and names of the specification, that do what another does: one gate binds them all."""

CONDITIONS: dict[str, dict[str, Any]] = {
    "abandon_portfolio": {"status": "abandoned"},
    "complete_portfolio": {"status": "completed"},
}
"""What a name says besides its operation."""

UNGATED = frozenset(
    [
        "assign_arbitration",
        "create_channel",
        "create_key",
        "create_stream_token",
        "delete_channel",
        "leave_lease_queue",
        "provide_information",
        "record_decision",
        "record_outcome",
        "remind_arbitration",
        "remove_gate",
        "request_arbitration",
        "request_information",
        "resend_notice",
        "revoke_key",
        "revoke_permit",
        "set_gate",
        "spend_permit",
        "test_channel",
        "update_channel",
        "withdraw_arbitration",
    ]
)
"""Operations that ask for a permit, decide on it, tell people of it, wait for nothing longer, or need an operator: no gate binds them."""


def operation_of(verb: str) -> str:
    """Return the operation that the verb names, or the verb itself for an act outside of the API."""
    return ALIASES.get(verb, verb)


def is_operation(verb: str) -> bool:
    return operation_of(verb) in OPERATIONS
