"""Event log: its event types (protocol §6), and appending to it."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import TextChoices

from access.identity import Actor
from core import strict_json
from core.db import sql_rows
from core.errors import TooLarge
from core.ids import new_ids_as_text
from intents import positions, wakeups
from intents.models import Event, Intent


class EventType(TextChoices):
    """Event types that the server writes. Clients may log any other type (rule E-4)."""

    INTENT_CREATED = "intent_created"
    INTENT_UPDATED = "intent_updated"
    STATE_PATCHED = "state_patched"
    STATUS_CHANGED = "status_changed"
    DEPENDENCY_ADDED = "dependency_added"
    DEPENDENCY_REMOVED = "dependency_removed"
    DEPENDENCY_ABANDONED = "dependency_abandoned"
    AGENT_ASSIGNED = "agent_assigned"
    AGENT_UNASSIGNED = "agent_unassigned"
    LEASE_ACQUIRED = "lease_acquired"
    LEASE_RENEWED = "lease_renewed"
    LEASE_RELEASED = "lease_released"
    LEASE_EXPIRED = "lease_expired"
    LEASE_REVOKED = "lease_revoked"
    ARBITRATION_REQUESTED = "arbitration_requested"
    ARBITRATION_WITHDRAWN = "arbitration_withdrawn"
    ARBITRATION_EXPIRED = "arbitration_expired"
    ARBITRATION_NOTIFIED = "arbitration_notified"
    ARBITRATION_REMINDED = "arbitration_reminded"
    ARBITRATION_ESCALATED = "arbitration_escalated"
    ARBITRATION_FELL_BACK = "arbitration_fell_back"
    ARBITRATION_ASSIGNED = "arbitration_assigned"
    INFORMATION_REQUESTED = "information_requested"
    INFORMATION_PROVIDED = "information_provided"
    DECISION_RECORDED = "decision_recorded"
    VOTE_RECORDED = "vote_recorded"
    PERMIT_GRANTED = "permit_granted"
    PERMIT_SPENT = "permit_spent"
    PERMIT_EXPIRED = "permit_expired"
    PERMIT_REVOKED = "permit_revoked"
    OUTCOME_RECORDED = "outcome_recorded"
    GATE_SET = "gate_set"
    GATE_REMOVED = "gate_removed"
    DELEGATION_GRANTED = "delegation_granted"
    DELEGATION_REVOKED = "delegation_revoked"
    ATTACHMENT_ADDED = "attachment_added"
    ATTACHMENT_REMOVED = "attachment_removed"
    COST_RECORDED = "cost_recorded"
    BUDGET_ALERT = "budget_alert"
    BUDGET_EXCEEDED = "budget_exceeded"
    RETRY_POLICY_SET = "retry_policy_set"
    FAILURE_RECORDED = "failure_recorded"
    RETRY_DUE = "retry_due"
    RETRIES_EXHAUSTED = "retries_exhausted"
    FALLBACK_TRIGGERED = "fallback_triggered"
    PORTFOLIO_CREATED = "portfolio_created"
    PORTFOLIO_UPDATED = "portfolio_updated"
    PORTFOLIO_STATUS_CHANGED = "portfolio_status_changed"
    ADDED_TO_PORTFOLIO = "added_to_portfolio"
    REMOVED_FROM_PORTFOLIO = "removed_from_portfolio"
    SUBSCRIPTION_CREATED = "subscription_created"
    SUBSCRIPTION_UPDATED = "subscription_updated"
    SUBSCRIPTION_REMOVED = "subscription_removed"
    SUBSCRIPTION_DISABLED = "subscription_disabled"
    SUBSCRIPTION_TESTED = "subscription_tested"
    CHANNEL_CREATED = "channel_created"
    CHANNEL_UPDATED = "channel_updated"
    CHANNEL_REMOVED = "channel_removed"
    CHANNEL_DISABLED = "channel_disabled"


RESERVED = frozenset([*EventType.values, "connected", "bye"])
"""Types that clients cannot log: those of the server in the log and, the last two, on a stream (rule S-1)."""

EventRow = sql_rows.row_type(Event)
CLIENT_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,99}")


class NewEvent(NamedTuple):
    event_type: str
    payload: dict[str, Any]
    trace_id: str | None = None
    parent_event_id: UUID | None = None
    portfolio_id: UUID | None = None


class Entry(NamedTuple):
    """An event and its place in the log of its intent, if it belongs to one."""

    intent_id: UUID | None
    sequence: int | None
    event: NewEvent
    actor: Actor


def require_payload_size(payload: dict[str, Any], message: str = "This is too large for an event.") -> None:
    """Raise TooLarge if the payload exceeds MAX_EVENT_PAYLOAD."""
    if not strict_json.fits(payload, settings.MAX_EVENT_PAYLOAD):
        raise TooLarge(message, limit=settings.MAX_EVENT_PAYLOAD)


def append(intent: Intent, *new: NewEvent, actor: Actor, now: datetime, saving: Sequence[str] = ()) -> list[sql_rows.Row]:
    """Append events to the intent's log, and save the fields of `intent` that they are about (`saving`).

    The caller holds the intent's row lock, under which events are numbered: 1, 2, 3 … in commit order (rule E-2).
    No event is earlier than the one before it, even if the clock was set back in between (rule E-7).

    Readers are woken after the commit.
    """
    intent.last_event_at = intent.clamp_to_log(now)
    entries = [Entry(intent.pk, intent.last_sequence + number, event, actor) for number, event in enumerate(new, start=1)]
    events = _event_rows(entries, intent.last_event_at)
    intent.last_sequence += len(events)
    sql_rows.record(intent, (*saving, "last_sequence", "last_event_at"), Event, events)
    transaction.on_commit(wakeups.events_committed.notify)
    return events


def append_without_intent(*new: NewEvent, actor: Actor, now: datetime) -> list[sql_rows.Row]:
    """Append events that belong to no intent, but to a portfolio or the server: they have a position and no sequence."""
    events = _event_rows([Entry(None, None, event, actor) for event in new], now)
    sql_rows.insert(Event, events)
    transaction.on_commit(wakeups.events_committed.notify)
    return events


def append_entries(entries: Sequence[Entry], now: datetime) -> None:
    """Append events to the logs of several new intents, in this order."""
    sql_rows.insert(Event, _event_rows(entries, now))
    transaction.on_commit(wakeups.events_committed.notify)


def _payload(entry: Entry) -> dict[str, Any]:
    """Return the payload, with the gate that the actor passed and its reason (rule A-12)."""
    passed = entry.actor.passed
    return {**entry.event.payload, "gate": passed[-1]} if passed else entry.event.payload


def _event_rows(entries: Sequence[Entry], now: datetime) -> list[sql_rows.Row]:
    position = positions.next_position()
    return [
        EventRow(  # By keywords it takes three times as long.
            None,
            uid,
            entry.intent_id,
            entry.event.portfolio_id,
            entry.sequence,
            position and position + number,
            str(entry.event.event_type),
            entry.actor.id,
            entry.actor.key_id,
            strict_json.text(_payload(entry)),
            entry.event.trace_id,
            entry.event.parent_event_id,
            now,
        )
        for number, (entry, uid) in enumerate(zip(entries, new_ids_as_text(len(entries)), strict=True))
    ]
