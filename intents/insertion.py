"""Insertion of new intents with their edges, assignments, topics and logs: one statement per table and thousand rows."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from access.identity import Actor
from core.db import sql_rows
from intents import topics
from intents.events import Entry, EventType, NewEvent, append_entries
from intents.models import Assignment, Edge, EdgeKind, Intent, TopicMembership
from intents.operations import Assignee

_IntentRow = sql_rows.row_type(Intent)
_EdgeRow = sql_rows.row_type(Edge)
_AssignmentRow = sql_rows.row_type(Assignment)
_TopicRow = sql_rows.row_type(TopicMembership)


def new_intent(
    *,
    pk: UUID,
    title: str,
    description: str | None,
    status: str,
    state: dict[str, Any],
    constraints: dict[str, Any],
    confidence: int | None,
    parent_intent_id: UUID | None,
    created_by: str,
    now: datetime,
) -> Intent:
    """Return an intent without dependencies, agents and events, which `Insertion` adds."""
    row = _IntentRow(
        id=pk,
        title=title,
        description=description,
        status=status,
        state=state,
        constraints=constraints,
        confidence=confidence,
        version=1,
        parent_intent_id=parent_intent_id,
        depends_on=[],
        agents=[],
        created_by=created_by,
        created_at=now,
        updated_at=now,
        last_sequence=0,
        last_event_at=now,
        on_hold=False,
        last_fencing_token=0,
        active_leases=0,
        held_leases=None,
    )
    return Intent(*row)  # By keywords it takes three times as long.


class Insertion:
    """New intents, collected until `write` inserts them. A part of verbs that have locked what the intents refer to.

    Rows and events are those of single verbs, called in the same order.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._intents: list[Intent] = []
        self._entries: list[Entry] = []
        self._rows: dict[type[Model], list[sql_rows.Row]] = defaultdict(list)

    def create(self, intent: Intent, actor: Actor, *, depends_on: Sequence[UUID] = (), assign: Sequence[Assignee] = ()) -> None:
        """Create the intent, with its edges, and assign the agents; of several roles of an agent, the last one."""
        intent.depends_on = [str(pk) for pk in depends_on]
        self._intents.append(intent)
        if intent.parent_intent_id:
            self.add(Edge, _EdgeRow(None, intent.parent_intent_id, intent.pk, EdgeKind.CHILD.value))
        for pk in depends_on:
            self.add(Edge, _EdgeRow(None, intent.pk, pk, EdgeKind.DEPENDENCY.value))
        created = {  # All that a replay of the log starts from (rule E-6). Agents follow as events of their own.
            "title": intent.title,
            "description": intent.description,
            "status": str(intent.status),
            "state": intent.state,
            "constraints": intent.constraints,
            "confidence": intent.confidence,
            "parent_intent_id": str(intent.parent_intent_id) if intent.parent_intent_id else None,
            "depends_on": intent.depends_on,
            "version": intent.version,
        }
        self.append(intent, NewEvent(EventType.INTENT_CREATED, created), actor)
        for agent in {each.agent_id: {"agent_id": each.agent_id, "role": each.role} for each in assign}.values():
            intent.agents = [*intent.agents, agent]
            self.add(Assignment, _AssignmentRow(None, intent.pk, agent["agent_id"], agent["role"], actor.id, self.now))
            self.append(intent, NewEvent(EventType.AGENT_ASSIGNED, agent), actor)
            self.join(intent, topics.for_agent(agent["agent_id"]))

    def append(self, intent: Intent, event: NewEvent, actor: Actor) -> None:
        """Append the event to the intent's log."""
        intent.last_sequence += 1
        self._entries.append(Entry(intent.pk, intent.last_sequence, event, actor))

    def join(self, intent: Intent, topic: topics.Topic) -> None:
        """Let the topic begin with the intent's newest event."""
        self.add(TopicMembership, _TopicRow(None, topic, intent.pk, intent.last_sequence, None))

    def add(self, model: type[Model], row: sql_rows.Row) -> None:
        """Insert a row that refers to an intent after all intents.

        Before them, SQLite would look for rows that refer to it in every table, for each intent.
        """
        self._rows[model].append(row)

    def write(self) -> None:
        """Insert everything."""
        sql_rows.create(Intent, self._intents)
        for model, rows in self._rows.items():
            sql_rows.insert(model, rows)
        append_entries(self._entries, self.now)
