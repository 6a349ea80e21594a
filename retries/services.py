"""The verbs: all that can change a retry policy or a failure (RFC-0010)."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from access.identity import SYSTEM, Actor
from core.db import atomic_verb, database_now
from core.encoding import identifier, instant
from intents.events import EventType, NewEvent, append, require_payload_size
from intents.locking import lock_for_write
from intents.models import Intent
from intents.operations import Assignee, assign, unassign
from leasing.services import release_all
from retries.attempt_series import next_attempt, standalone_attempt
from retries.backoff import backoff_delay
from retries.models import Failure, RetryPolicy
from retries.participation import is_assigned, is_participant
from retries.representation import policy_settings


@atomic_verb
def set_retry_policy(*, intent_id: UUID | str, actor: Actor, policy: dict[str, Any]) -> RetryPolicy:
    """Give the intent this policy in place of the one it has. The same again changes nothing.

    `policy` has all of `wire.SETTINGS`. Retries that are waiting keep their time. Raises IntentNotFound, LeaseLost.
    """
    intent = lock_for_write(intent_id, actor)
    now = intent.now()
    known = _policy_of(intent)
    if known and policy_settings(known) == policy:
        return known
    new = RetryPolicy(intent=intent, **policy, created_at=known.created_at if known else now, updated_at=now)
    new.save(force_insert=known is None, force_update=known is not None)
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
    """Record that the agent's attempt failed, and do what the policy has for it (rules R-1 to R-4).

    Without `attempt` it is the one after the agent's last in the same run (retries.attempt_series). What the policy allows decides
    when the retry is announced (`retry_at`); `will_retry` is what the agent says, and without it what the policy allows.
    An agent that is replaced, or an intent that is final, has no retries. The failure of an agent that does not work on the
    intent (retries.participation) is recorded, and has no consequences.

    Raises IntentNotFound, LeaseLost, TooLarge.
    """
    require_payload_size(metadata or {}, "The metadata of a failure is too large.")
    intent = lock_for_write(intent_id, actor)
    now = intent.now()
    previous = Failure.objects.counting(intent, actor.id).first()
    was_replaced = previous is not None and previous.is_replaced  # By the fallback, whom its failures harm no more.
    if was_replaced or is_participant(intent, actor.id, now):
        policy = None if intent.is_final else _policy_of(intent)
        found = next_attempt(previous, attempt, is_assigned=is_assigned(intent, actor.id))
    else:
        policy, found = None, standalone_attempt(attempt)
    failure = Failure(
        intent=intent,
        sequence=intent.last_sequence + 1,
        agent_id=actor.id,
        error_type=error_type,
        error_message=error_message,
        attempt=found.attempt,
        metadata=metadata or {},
        created_at=now,
        run_length=found.run_length,
        is_replaced=found.was_replaced,
    )
    falls_back = policy is not None and _judge(failure, policy, will_retry, now)
    failure.will_retry = failure.retry_at is not None if will_retry is None else will_retry
    failure.save(force_insert=True)
    append(intent, _recorded(failure), actor=actor, now=now)
    if failure.is_exhausted and not found.was_exhausted:
        append(intent, _exhausted(failure), actor=SYSTEM, now=now)
    if policy and falls_back:
        _fall_back(intent, failure, policy, now)
    return failure


@atomic_verb
def announce_retry(failure_id: UUID) -> bool:
    """Write `retry_due` if the failure's retry is due and still wanted (rule R-2). Answers whether it was due.

    It is not wanted where the intent is final by now, the same agent has failed again since, or no longer works on it (rule R-4).
    """
    intent_id = Failure.objects.filter(pk=failure_id).values_list("intent_id", flat=True).first()
    if intent_id is None:
        return False
    intent = lock_for_write(intent_id, SYSTEM)
    now = intent.now()
    failure = Failure.objects.due(now).filter(pk=failure_id).first()
    if failure is None:
        return False
    failure.retry_settled_at = now
    failure.save(update_fields=["retry_settled_at"])
    newer = Failure.objects.filter(intent=intent, agent_id=failure.agent_id, sequence__gt=failure.sequence)
    if not intent.is_final and not newer.exists() and is_participant(intent, failure.agent_id, now):
        append(intent, _due(failure), actor=SYSTEM, now=now)
    return True


def due_retries(limit: int) -> list[UUID]:
    """The failures whose retry should have been announced by now, the oldest first."""
    return [*Failure.objects.due(database_now()).order_by("retry_at").values_list("pk", flat=True)[:limit]]


def resolve_failures(intent: Intent, now: datetime) -> None:
    """Mark what failed on an intent as overcome. A part of the verb that completes it, which holds the intent's lock."""
    Failure.objects.filter(intent=intent, resolved_at=None).update(resolved_at=now)


def _policy_of(intent: Intent) -> RetryPolicy | None:
    return RetryPolicy.objects.filter(pk=intent.pk).first()


def _role_of(intent: Intent, agent_id: str | None) -> str | None:
    """The agent's role; None where it is not assigned to the intent."""
    return next((each["role"] for each in intent.agents if each["agent_id"] == agent_id), None)


def _judge(failure: Failure, policy: RetryPolicy, will_retry: bool | None, now: datetime) -> bool:
    """Let the policy decide when the retry comes, if one comes. Answers whether another agent takes over."""
    failure.is_exhausted = policy.is_exhausted_by(failure.attempt, failure.error_type)
    falls_back = policy.falls_back_after(failure)
    failure.is_replaced = failure.is_replaced or falls_back
    if not failure.is_exhausted and not failure.is_replaced and will_retry is not False:
        failure.retry_at = now + timedelta(seconds=backoff_delay(policy, failure.attempt, random.random()))
    return falls_back


def _fall_back(intent: Intent, failure: Failure, policy: RetryPolicy, now: datetime) -> None:
    """Hand the failing agent's work to the fallback agent, its leases and its role included (rule R-3)."""
    failing, fallback = failure.agent_id, str(policy.fallback_agent_id)
    role = _role_of(intent, failing) or _role_of(intent, fallback) or Assignee(fallback).role
    release_all(intent, actor=SYSTEM, reason="fallback", agent_id=failing)
    unassign(intent, failing, SYSTEM, now)
    assign(intent, Assignee(fallback, role), SYSTEM, now)
    payload = {"from_agent": failing, "to_agent": fallback, "failures": failure.run_length}
    append(intent, NewEvent(EventType.FALLBACK_TRIGGERED, payload), actor=SYSTEM, now=now)


def _recorded(failure: Failure) -> NewEvent:
    payload = {
        "failure_id": identifier(failure.pk),
        "agent_id": failure.agent_id,
        "error_type": failure.error_type,
        "attempt": failure.attempt,
        "will_retry": failure.will_retry,
        "retry_at": instant(failure.retry_at),
    }
    return NewEvent(EventType.FAILURE_RECORDED, payload)


def _exhausted(failure: Failure) -> NewEvent:
    payload = {"agent_id": failure.agent_id, "attempts": failure.attempt, "error_type": failure.error_type}
    return NewEvent(EventType.RETRIES_EXHAUSTED, payload)


def _due(failure: Failure) -> NewEvent:
    payload = {"failure_id": identifier(failure.pk), "agent_id": failure.agent_id, "attempt": failure.attempt + 1}
    return NewEvent(EventType.RETRY_DUE, payload)
