"""Validation of input before it is sent (protocol K-3).

Each `validate_…` returns None or raises InputValidationError, whose `field` names the invalid argument. The
clients call them; call them yourself to check input early. The server checks the same again.
"""

from ..errors import InputValidationError
from ._values import validate_agent_id, validate_header, validate_json, validate_whole_number
from .access import validate_assignment, validate_key
from .attachments import validate_attachment
from .costs import validate_cost
from .events import validate_event, validate_event_filter, validate_event_types, validate_events
from .governance import (
    validate_arbitration_request,
    validate_assignee,
    validate_decision,
    validate_delegation,
    validate_gate,
    validate_information,
    validate_outcome,
    validate_permit_reason,
    validate_question,
    validate_terms,
    validate_withdrawal,
)
from .intents import validate_intent_create, validate_intent_update, validate_patches, validate_state, validate_status
from .leases import validate_lease_acquire, validate_lease_renew, validate_lease_revoke
from .notices import validate_channel
from .plans import validate_plan
from .portfolios import validate_portfolio, validate_portfolio_member, validate_portfolio_status
from .retries import validate_failure, validate_retry_policy
from .subscriptions import validate_subscription

__all__ = [
    "InputValidationError",
    "validate_agent_id",
    "validate_arbitration_request",
    "validate_assignee",
    "validate_assignment",
    "validate_attachment",
    "validate_channel",
    "validate_cost",
    "validate_decision",
    "validate_delegation",
    "validate_event",
    "validate_event_filter",
    "validate_event_types",
    "validate_events",
    "validate_failure",
    "validate_gate",
    "validate_header",
    "validate_information",
    "validate_intent_create",
    "validate_intent_update",
    "validate_json",
    "validate_key",
    "validate_lease_acquire",
    "validate_lease_renew",
    "validate_lease_revoke",
    "validate_outcome",
    "validate_patches",
    "validate_permit_reason",
    "validate_plan",
    "validate_portfolio",
    "validate_portfolio_member",
    "validate_portfolio_status",
    "validate_question",
    "validate_retry_policy",
    "validate_state",
    "validate_status",
    "validate_subscription",
    "validate_terms",
    "validate_whole_number",
    "validate_withdrawal",
]
