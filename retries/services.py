"""Retry verbs: set a policy, record a failure, announce a retry (RFC-0010)."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from access.identity import SYSTEM, Actor
from core.db import atomic_verb, database_now
from core.encoding import identifier, instant
from core.registration import PeriodicTask
from intents.events import EventType, NewEvent, append, require_payload_size
from intents.models import Intent
from intents.operations import Assignee, assign, unassign
from intents.write_lock import lock_for_write
from leasing.services import release_all
from retries.attempt_series import next_attempt, standalone_attempt
from retries.backoff import backoff_delay
from retries.models import Failure, RetryPolicy
from retries.participation import is_assigned, is_participant
from retries.representation import policy_settings


@atomic_verb
def set_retry_policy(*, intent_id: UUID | str, actor: Actor, policy: dict[str, Any]) -> RetryPolicy:
    """Set or replace the intent's policy, with all of its settings. Idempotent.

    Pending retries keep their time. Raises IntentNotFound, LeaseLost.
    """
    intent = lock_for_write(intent_id, actor, "set_retry_policy")
    now = intent.now()
    existing = _find_policy(intent)
    if existing and policy_settings(existing) == policy:
        return existing
    new = RetryPolicy(intent=intent, **policy, created_at=existing.created_at if existing else now, updated_at=now)
    new.save(force_insert=existing is None, force_update=existing is not None)
    append(intent, NewEvent(EventType.RETRY_POLICY_SET, policy_settings(new)), actor=actor, now=now)
    return new


@atomic_verb
def record_failure(
    *,
    intent_id: UUID | str,
    actor: Actor,
    error_type: str,
    error_message: str | None = None,
    attempt: int | None = None,
    will_retry: bool | None = None,
    metadata: dict[str, Any] | None = None,
) -> Failure:
    """Record a failed attempt of the agent, and apply the policy (rules R-1 to R-4).

    Without `attempt` it is the one after the agent's last in the same run (retries.attempt_series). The policy determines
    when the retry is announced (`retry_at`); `will_retry` is reported by the agent, and defaults to what the policy allows.
    There are no retries for an agent that was replaced, or on a final intent. The failure of an agent that does not work on
    the intent (retries.participation) is recorded without consequences.

    Raises IntentNotFound, LeaseLost, TooLarge.
    """
    require_payload_size(metadata or {}, "The metadata of a failure is too large.")
    intent = lock_for_write(intent_id, actor, "record_failure")
    return add_failure(
        intent,
        actor=actor,
        now=intent.now(),
        error_type=error_type,
        error_message=error_message,
        attempt=attempt,
        will_retry=will_retry,
        metadata=metadata,
    )


def add_failure(
    intent: Intent,
    *,
    actor: Actor,
    now: datetime,
    error_type: str,
    error_message: str | None = None,
    attempt: int | None = None,
    will_retry: bool | None = None,
    metadata: dict[str, Any] | None = None,
) -> Failure:
    """Record a failed attempt, and apply the policy. A part of verbs that hold the intent's lock."""
    previous = Failure.objects.in_runs(intent, actor.id).first()
    # Failures of an agent that the fallback has replaced still belong to its run, without any effect.
    counts = (previous is not None and previous.is_replaced) or is_participant(intent, actor.id, now)
    policy = _find_policy(intent) if counts and not intent.is_final else None
    assigned = is_assigned(intent, actor.id)
    series = next_attempt(previous, attempt, is_assigned=assigned) if counts else standalone_attempt(attempt)
    failure = Failure(
        intent=intent,
        sequence=intent.last_sequence + 1,
        agent_id=actor.id,
        error_type=error_type,
        error_message=error_message,
        attempt=series.number,
        metadata=metadata or {},
        created_at=now,
        run_length=series.run_length,
        is_replaced=series.was_replaced,
    )
    falls_back = policy is not None and _apply_policy(failure, policy, will_retry, now)
    failure.will_retry = failure.retry_at is not None if will_retry is None else will_retry
    failure.save(force_insert=True)
    append(intent, _failure_event(failure), actor=actor, now=now)
    if failure.is_exhausted and not series.was_exhausted:
        exhausted = {"agent_id": failure.agent_id, "attempts": failure.attempt, "error_type": failure.error_type}
        append(intent, NewEvent(EventType.RETRIES_EXHAUSTED, exhausted), actor=SYSTEM, now=now)
    if policy and falls_back:
        _fall_back(intent, failure, policy, now)
    return failure


@atomic_verb
def announce_retry(failure_id: UUID) -> bool:
    """Append `retry_due` if the failure's retry is due and still needed (rule R-2). Return whether it was due.

    It is not needed if the intent is final, or the agent has failed again since or no longer works on it (rule R-4).
    """
    intent_id = Failure.objects.filter(pk=failure_id).values_list("intent_id", flat=True).first()
    if intent_id is None:
        return False
    intent = lock_for_write(intent_id, SYSTEM, None)
    now = intent.now()
    failure = Failure.objects.due(now).filter(pk=failure_id).first()
    if failure is None:
        return False
    failure.retry_settled_at = now
    failure.save(update_fields=["retry_settled_at"])
    newer = Failure.objects.filter(intent=intent, agent_id=failure.agent_id, sequence__gt=failure.sequence)
    if not intent.is_final and not newer.exists() and is_participant(intent, failure.agent_id, now):
        payload = {"failure_id": identifier(failure.pk), "agent_id": failure.agent_id, "attempt": failure.attempt + 1}
        append(intent, NewEvent(EventType.RETRY_DUE, payload), actor=SYSTEM, now=now)
    return True


def due_retries(limit: int) -> list[UUID]:
    """Return the ids of failures whose retry is due to be announced, the oldest first."""
    return [*Failure.objects.due(database_now()).order_by("retry_at").values_list("pk", flat=True)[:limit]]


def resolve_failures(intent: Intent, now: datetime) -> None:
    """Mark the failures on the intent as resolved. A part of the verb that completes it, which holds the intent's lock."""
    Failure.objects.filter(intent=intent, resolved_at=None).update(resolved_at=now)


def _find_policy(intent: Intent) -> RetryPolicy | None:
    return RetryPolicy.objects.filter(pk=intent.pk).first()


def _apply_policy(failure: Failure, policy: RetryPolicy, will_retry: bool | None, now: datetime) -> bool:
    """Schedule the retry, if the policy allows one. Return whether the fallback takes over."""
    failure.is_exhausted = policy.is_exhausted_by(failure.attempt, failure.error_type)
    falls_back = policy.falls_back_after(failure)
    failure.is_replaced = failure.is_replaced or falls_back
    if not failure.is_exhausted and not failure.is_replaced and will_retry is not False:
        failure.retry_at = now + timedelta(seconds=backoff_delay(policy, failure.attempt, random.random()))
    return falls_back


def _fall_back(intent: Intent, failure: Failure, policy: RetryPolicy, now: datetime) -> None:
    """Reassign the failing agent's work to the fallback agent with its role, and release its leases (rule R-3)."""
    failing, fallback = failure.agent_id, str(policy.fallback_agent_id)
    roles = {each["agent_id"]: each["role"] for each in intent.agents}
    role = roles.get(failing) or roles.get(fallback) or Assignee(fallback).role
    release_all(intent, actor=SYSTEM, reason="fallback", agent_id=failing)
    unassign(intent, failing, SYSTEM, now)
    assign(intent, Assignee(fallback, role), SYSTEM, now)
    payload = {"from_agent": failing, "to_agent": fallback, "failures": failure.run_length}
    append(intent, NewEvent(EventType.FALLBACK_TRIGGERED, payload), actor=SYSTEM, now=now)


def _failure_event(failure: Failure) -> NewEvent:
    payload = {
        "failure_id": identifier(failure.pk),
        "agent_id": failure.agent_id,
        "error_type": failure.error_type,
        "attempt": failure.attempt,
        "will_retry": failure.will_retry,
        "retry_at": instant(failure.retry_at),
    }
    return NewEvent(EventType.FAILURE_RECORDED, payload)


PERIODIC_TASKS = (PeriodicTask("announce retries", due_retries, announce_retry),)
