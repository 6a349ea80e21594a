"""Governance verbs (RFC-0004): every change of arbitrations, decisions and delegations."""

from core.registration import PeriodicTask
from governance.services.arbitrations import (
    expire_arbitration,
    expire_overdue,
    overdue_arbitrations,
    request_arbitration,
    withdraw_arbitration,
    withdraw_pending,
)
from governance.services.decisions import record_decision
from governance.services.delegations import create_delegation, revoke_delegation

__all__ = [
    "create_delegation",
    "expire_arbitration",
    "expire_overdue",
    "overdue_arbitrations",
    "record_decision",
    "request_arbitration",
    "revoke_delegation",
    "withdraw_arbitration",
    "withdraw_pending",
]


PERIODIC_TASKS = (PeriodicTask("expire arbitrations", overdue_arbitrations, expire_arbitration),)
