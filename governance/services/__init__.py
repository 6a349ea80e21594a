"""Governance verbs (RFC-0004): every change of arbitrations, votes, decisions, permits and delegations."""

from core.registration import PeriodicTask
from governance.services.arbitrations import (
    expire_arbitration,
    expire_overdue,
    overdue_arbitrations,
    request_arbitration,
    withdraw_arbitration,
    withdraw_pending,
)
from governance.services.assignments import assign_arbitration
from governance.services.decisions import record_decision
from governance.services.delegations import create_delegation, revoke_delegation
from governance.services.gates import remove_gate, set_gate
from governance.services.information import provide_information, request_information
from governance.services.permits import (
    due_permits,
    end_due_permits,
    end_permit,
    record_outcome,
    revoke_permit,
    spend_permit,
)
from governance.services.reminders import due_steps, remind, take_step

__all__ = [
    "assign_arbitration",
    "create_delegation",
    "due_permits",
    "due_steps",
    "end_due_permits",
    "end_permit",
    "expire_arbitration",
    "expire_overdue",
    "overdue_arbitrations",
    "provide_information",
    "record_decision",
    "record_outcome",
    "remind",
    "remove_gate",
    "request_arbitration",
    "request_information",
    "revoke_delegation",
    "revoke_permit",
    "set_gate",
    "spend_permit",
    "take_step",
    "withdraw_arbitration",
    "withdraw_pending",
]


PERIODIC_TASKS = (
    PeriodicTask("expire arbitrations", overdue_arbitrations, expire_arbitration),
    PeriodicTask("remind and escalate", due_steps, take_step),
    PeriodicTask("end permits", due_permits, end_permit),
)
