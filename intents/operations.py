"""Operations on a locked intent, shared by the verbs of several apps: version, status, assignments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.identity import Actor
from intents import topics
from intents.events import EventType, NewEvent, append
from intents.models import Assignment, Intent


@dataclass(frozen=True, slots=True)
class Assignee:
    agent_id: str
    role: str = "worker"


def increment_version(
    intent: Intent, event_type: EventType, payload: dict[str, Any], *, actor: Actor, saving: Sequence[str]
) -> None:
    """Increment the version, and append the event that says what changed (rule I-2)."""
    now = intent.now()
    intent.version += 1
    intent.updated_at = now
    event = NewEvent(event_type, {**payload, "version": intent.version})
    append(intent, event, actor=actor, now=now, saving=(*saving, "version", "updated_at"))


def change_status(intent: Intent, status: str, *, actor: Actor, reason: str | None, now: datetime, on_hold: bool = False) -> None:
    """Change the intent's status. With `on_hold`, only a person or an agent unblocks it (rule I-9)."""
    previous_status, intent.status = intent.status, status
    intent.on_hold = on_hold
    intent.version += 1
    intent.updated_at = intent.clamp_to_log(now)
    event = status_changed_event(intent, previous_status, reason)
    append(intent, event, actor=actor, now=now, saving=("status", "on_hold", "version", "updated_at"))


def status_changed_event(intent: Intent, previous_status: str, reason: str | None) -> NewEvent:
    payload = {"from": previous_status, "to": str(intent.status), "version": intent.version, "reason": reason}
    return NewEvent(EventType.STATUS_CHANGED, payload)


def assign(intent: Intent, assignee: Assignee, actor: Actor, now: datetime) -> tuple[Assignment, bool]:
    """Assign the agent, or change its role. Return the assignment, and whether anything changed."""
    existing = intent.assignments.filter(agent_id=assignee.agent_id).first()
    if existing and existing.role == assignee.role:
        return existing, False
    assignment, _ = intent.assignments.update_or_create(
        agent_id=assignee.agent_id, defaults={"role": assignee.role, "assigned_by": actor.id, "assigned_at": now}
    )
    others = [each for each in intent.agents if each["agent_id"] != assignee.agent_id]
    intent.agents = [*others, {"agent_id": assignee.agent_id, "role": assignee.role}]
    event = NewEvent(EventType.AGENT_ASSIGNED, {"agent_id": assignee.agent_id, "role": assignee.role})
    append(intent, event, actor=actor, now=now, saving=["agents"])
    if existing is None:
        topics.join(intent, topics.for_agent(assignee.agent_id))
    return assignment, True


def unassign(intent: Intent, agent_id: str, actor: Actor, now: datetime) -> None:
    """Remove the agent's assignment. Idempotent."""
    if not intent.assignments.filter(agent_id=agent_id).delete()[0]:
        return
    intent.agents = [each for each in intent.agents if each["agent_id"] != agent_id]
    event = NewEvent(EventType.AGENT_UNASSIGNED, {"agent_id": agent_id})
    append(intent, event, actor=actor, now=now, saving=["agents"])
    topics.leave(intent, topics.for_agent(agent_id))
