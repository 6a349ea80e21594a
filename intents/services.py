"""The verbs: all that can change an intent, its graph and its log."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from access.identity import SYSTEM, Actor
from core import strict_json
from core.db import acquire_advisory_lock, atomic_verb, database_now, sql_rows
from core.db.sql_rows import Row
from core.errors import Invalid, TooLarge
from costs.budgets import check_intent_budgets
from costs.guards import require_limits_kept
from costs.services import record_limits
from governance.guards import pending_blocking
from governance.services import withdraw_pending
from intents import graph
from intents.errors import CompletionGate, DependencyCycle, IntentNotFound, ReservedEventType
from intents.events import RESERVED, EventType, NewEvent, append
from intents.models import FINAL, Assignment, Edge, EdgeKind, Event, Intent, Status
from intents.operations import Assignee, change_status, increment_version, status_changed_event, unassign
from intents.operations import assign as assign_to
from intents.patches import Patch, apply
from leasing.guards import require_scope, require_token
from leasing.services import release_all
from portfolios.locking import lock_with_portfolios
from portfolios.models import Portfolio
from portfolios.services import complete_at_threshold
from retries.services import resolve_failures

GRAPH_LOCK = "intent graph"
"""Held while edges are added that could close a circle: two verbs that would close it together must see each other."""


# --- intents -------------------------------------------------------------------------------------------------------


@atomic_verb
def create_intent(
    *,
    actor: Actor,
    title: str,
    description: str | None = None,
    state: dict[str, Any] | None = None,
    constraints: dict[str, Any] | None = None,
    confidence: int | None = None,
    parent_intent_id: UUID | None = None,
    depends_on: Sequence[UUID] = (),
    assign: Sequence[Assignee] = (),
) -> Intent:
    """Make an intent: `draft`, or `blocked` or `pending` by its dependencies (rule I-4).

    Raises Invalid for a parent or dependency that does not exist, IntentClosed for a final parent, DependencyCycle,
    TooLarge.
    """
    depends_on = list(dict.fromkeys(depends_on))
    if parent_intent_id and depends_on:  # Only then does the new intent lie on a way between others.
        acquire_advisory_lock(GRAPH_LOCK)
    related = Intent.objects.lock_all({*depends_on, *filter(None, [parent_intent_id])})
    _require_related(related, parent_intent_id, depends_on)

    now = database_now()
    intent = Intent(
        title=title,
        description=description,
        state=_within_limit(state or {}),
        constraints=constraints or {},
        confidence=confidence,
        parent_intent_id=parent_intent_id,
        depends_on=[str(pk) for pk in depends_on],
        status=_initial_status([related[pk] for pk in depends_on]),
        created_by=actor.id,
        created_at=now,
        updated_at=now,
        last_event_at=now,
    )
    sql_rows.create(intent)
    if parent_intent_id:
        Edge.objects.create(waiter_id=parent_intent_id, awaited=intent, kind=EdgeKind.CHILD)
    _add_edges(intent, depends_on)
    append(intent, NewEvent(EventType.INTENT_CREATED, _as_created(intent)), actor=actor, now=now)
    record_limits(intent, {}, actor)
    for assignee in {each.agent_id: each for each in assign}.values():
        assign_to(intent, assignee, actor, now)
    return intent


@atomic_verb
def update_intent(*, intent_id: UUID | str, expected_version: int, actor: Actor, changes: dict[str, Any]) -> Intent:
    """Change the title, description, constraints or confidence. Limits that are crossed already say so at once (rule C-5).

    Raises IntentNotFound, LeaseLost, VersionConflict, Forbidden.
    """
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    intent.require_version(expected_version)
    before = intent.constraints
    if "constraints" in changes:
        require_limits_kept(intent, changes["constraints"], actor)
    for name, value in changes.items():
        setattr(intent, name, value)
    increment_version(intent, EventType.INTENT_UPDATED, {"changes": changes}, actor=actor, saving=tuple(changes))
    if "constraints" in changes:
        record_limits(intent, before, actor)
        check_intent_budgets(intent, intent.updated_at)
    return intent


@atomic_verb
def patch_state(*, intent_id: UUID | str, expected_version: int, actor: Actor, patches: Sequence[Patch]) -> Intent:
    """Apply the patches to the state, all or none (rule I-3).

    Raises IntentNotFound, LeaseLost, VersionConflict, LeaseConflict, InvalidPatch, TooLarge.
    """
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    intent.require_version(expected_version)
    require_scope(intent, patches, actor)
    apply(intent.state, patches)
    _within_limit(intent.state)
    increment_version(intent, EventType.STATE_PATCHED, {"patches": list(patches)}, actor=actor, saving=("state",))
    return intent


@atomic_verb
def set_status(
    *,
    intent_id: UUID | str,
    expected_version: int,
    actor: Actor,
    status: str,
    reason: str | None = None,
    cascade: bool = False,
) -> Intent:
    """Move the intent to another status (rules I-5, I-6, G-2, G-4, G-5). The same status again changes nothing.

    One that is `blocked` by its dependencies or a question, and is set to `blocked` by hand, is held there (rule I-9).

    Completing it unblocks those that waited for it; abandoning it tells them so, and with `cascade` abandons its open
    descendants as well.

    Its leases are released (rule L-6). A portfolio that reaches its threshold by it is completed (rule P-2).

    Raises IntentNotFound, LeaseLost, VersionConflict, IllegalTransition, CompletionGate, Invalid.
    """
    if cascade and status != Status.ABANDONED:
        raise Invalid.field("cascade", "goes only with the status abandoned")
    locked, portfolios = _lock_for_status(intent_id, status, cascade)
    intent = locked[intent_id]
    require_token(intent, actor)
    intent.require_version(expected_version)
    is_held = status == Status.BLOCKED
    if intent.status == status and intent.on_hold == is_held:
        return intent
    if intent.status != status:
        intent.require_transition(status)
    now = intent.now()
    _require_gate(intent, status, now)

    closing = [intent, *_open_descendants(locked, intent.pk)] if cascade else [intent]
    for each in closing:
        change_status(each, status, actor=actor, reason=reason, now=now, on_hold=is_held)
        if status in FINAL:
            release_all(each, actor=actor, reason=f"intent_{status}")
    if status in FINAL:
        withdraw_pending(closing)
    if status == Status.COMPLETED:
        resolve_failures(intent, now)
        _unblock_dependents(intent, locked, now)
    elif status == Status.ABANDONED:
        _tell_dependents(closing, locked, actor, now)
    complete_at_threshold(portfolios, now=now)
    return intent


# --- graph ---------------------------------------------------------------------------------------------------------


@atomic_verb
def add_dependencies(
    *, intent_id: UUID | str, expected_version: int, actor: Actor, depends_on: Sequence[UUID]
) -> tuple[Intent, bool]:
    """Let the intent wait for others as well (rules G-1, G-3). Answers it, and whether anything was new.

    Raises IntentNotFound, VersionConflict, IntentClosed, Invalid, DependencyCycle.
    """
    acquire_advisory_lock(GRAPH_LOCK)
    wanted = list(dict.fromkeys(depends_on))
    root = Intent.objects.require(intent_id)
    locked = Intent.objects.lock_all({root, *wanted})
    intent = locked[root]
    require_token(intent, actor)
    intent.require_version(expected_version)
    intent.require_open()
    if intent.pk in wanted:
        raise DependencyCycle([intent.pk, intent.pk])
    _require_related(locked, None, wanted)
    new = [pk for pk in wanted if str(pk) not in intent.depends_on]
    if not new:
        return intent, False
    if path := graph.find_path(new, intent.pk):
        raise DependencyCycle([intent.pk, *path])

    _add_edges(intent, new)
    intent.depends_on = [*intent.depends_on, *map(str, new)]
    before = intent.status
    if any(locked[pk].status != Status.COMPLETED for pk in new):
        intent.status = Status.BLOCKED
    _raise_dependency_version(intent, EventType.DEPENDENCY_ADDED, new, before, actor=actor)
    return intent, True


@atomic_verb
def remove_dependency(*, intent_id: UUID | str, dependency_id: UUID | str, expected_version: int, actor: Actor) -> Intent:
    """Let the intent wait for one less; the last open one gone, it is unblocked (rule G-3). Again changes nothing.

    Raises IntentNotFound (also for a dependency whose id is none), VersionConflict, IntentClosed.
    """
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    if not isinstance(dependency_id, UUID):
        raise IntentNotFound(dependency_id)
    if str(dependency_id) not in intent.depends_on:
        return intent
    intent.require_version(expected_version)
    intent.require_open()
    was_waiting = bool(graph.unmet_dependencies([intent.pk]))
    Edge.objects.filter(waiter=intent, awaited=UUID(str(dependency_id)), kind=EdgeKind.DEPENDENCY).delete()
    intent.depends_on = [pk for pk in intent.depends_on if pk != str(dependency_id)]
    before = intent.status
    is_kept = intent.on_hold or bool(pending_blocking([intent.pk]))
    if before == Status.BLOCKED and was_waiting and not is_kept and not graph.unmet_dependencies([intent.pk]):
        intent.status = Status.PENDING
    _raise_dependency_version(intent, EventType.DEPENDENCY_REMOVED, [dependency_id], before, actor=actor)
    return intent


# --- agents --------------------------------------------------------------------------------------------------------


@atomic_verb
def assign_agent(*, intent_id: UUID | str, assignee: Assignee, actor: Actor) -> tuple[Assignment, bool]:
    """Put an agent on the intent, or give it another role. Answers the assignment, and whether anything changed.

    Raises IntentNotFound.
    """
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    return assign_to(intent, assignee, actor, intent.now())


@atomic_verb
def unassign_agent(*, intent_id: UUID | str, agent_id: str, actor: Actor) -> None:
    """Take an agent off the intent. Again changes nothing. Raises IntentNotFound."""
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    unassign(intent, agent_id, actor, intent.now())


# --- events --------------------------------------------------------------------------------------------------------


@atomic_verb
def log_events(*, intent_id: UUID | str, events: Sequence[NewEvent], actor: Actor) -> list[Row]:
    """Add to the intent's log, all or none, in this order (rules E-4, E-5).

    Raises IntentNotFound, ReservedEventType, TooLarge, Invalid for a parent event that does not exist.
    """
    for event in events:
        if event.event_type in RESERVED:
            raise ReservedEventType(event.event_type)
        if not strict_json.fits(event.payload, settings.MAX_EVENT_PAYLOAD):
            raise TooLarge("The payload of an event is too large.", limit=settings.MAX_EVENT_PAYLOAD)
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    _require_events({event.parent_event_id for event in events if event.parent_event_id})
    return append(intent, *events, actor=actor, now=intent.now())


# --- parts of verbs ------------------------------------------------------------------------------------------------


def _raise_dependency_version(
    intent: Intent, event_type: EventType, dependency_ids: Collection[UUID | str], before: str, *, actor: Actor
) -> None:
    """One more version for the request as a whole, though it may be several events: each dependency, and the status."""
    now = intent.now()
    intent.version += 1
    intent.updated_at = now
    events = [NewEvent(event_type, {"dependency_id": str(pk), "version": intent.version}) for pk in dependency_ids]
    append(intent, *events, actor=actor, now=now, saving=("depends_on", "status", "version", "updated_at"))
    if intent.status != before:
        append(intent, status_changed_event(intent, before, f"{event_type}"), actor=SYSTEM, now=now)


def _require_related(found: dict[UUID, Intent], parent_intent_id: UUID | None, depends_on: Sequence[UUID]) -> None:
    if parent_intent_id and parent_intent_id not in found:
        raise Invalid.field("parent_intent_id", f"no intent has the id {parent_intent_id}", "unknown_id")
    for pk in depends_on:
        if pk not in found:
            raise Invalid.field("depends_on", f"no intent has the id {pk}", "unknown_id")
    if parent_intent_id:
        found[parent_intent_id].require_open()
    if parent_intent_id and depends_on and (path := graph.find_path(depends_on, parent_intent_id)):
        raise DependencyCycle([parent_intent_id, *path])


def _initial_status(dependencies: Collection[Intent]) -> Status:
    if not dependencies:
        return Status.DRAFT
    return Status.PENDING if all(each.status == Status.COMPLETED for each in dependencies) else Status.BLOCKED


def _add_edges(intent: Intent, depends_on: Sequence[UUID]) -> None:
    if depends_on:
        edges = [Edge(waiter=intent, awaited_id=pk, kind=EdgeKind.DEPENDENCY) for pk in depends_on]
        Edge.objects.bulk_create(edges)


def _as_created(intent: Intent) -> dict[str, Any]:
    """All that a replay of the log starts from (rule E-6). Agents follow as events of their own."""
    return {
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


def _lock_for_status(intent_id: UUID | str, status: str, cascade: bool) -> tuple[dict[Any, Intent], list[Portfolio]]:
    """Lock the intent, and where it closes, with it all whom that concerns, and the portfolios that may complete by it."""
    if status not in FINAL:
        return {intent_id: Intent.objects.lock(intent_id)}, []
    root = Intent.objects.require(intent_id)

    def reach() -> tuple[set[UUID], set[UUID]]:
        closing = {root} | (graph.descendant_ids(root) if cascade else set())
        return closing, closing | graph.dependent_ids(closing)

    return lock_with_portfolios(reach)


def _require_gate(intent: Intent, status: str, now: datetime) -> None:
    """Raises CompletionGate (rules I-6, G-4, A-2). An intent can always be abandoned, or it could never be given up."""
    if status in (Status.ABANDONED, Status.BLOCKED):
        return
    if (intent.status == Status.BLOCKED or status == Status.COMPLETED) and (waiting := graph.unmet_dependencies([intent.pk])):
        raise CompletionGate(waiting[intent.pk], "The intent waits for dependencies that are not completed.")
    if intent.status == Status.BLOCKED and (waiting := pending_blocking([intent.pk], now)):
        raise CompletionGate(waiting[intent.pk], "The intent waits for arbitrations that are not decided.")
    if status == Status.COMPLETED:
        still_open = intent.children.exclude(status__in=FINAL).order_by("pk").values_list("pk", flat=True)
        if waiting_for := list(still_open):
            raise CompletionGate(waiting_for, "The intent has children that are neither completed nor abandoned.")


def _open_descendants(locked: dict[Any, Intent], root: UUID) -> list[Intent]:
    return [locked[pk] for pk in sorted(graph.descendant_ids(root)) if not locked[pk].is_final]


def _unblock_dependents(intent: Intent, locked: dict[Any, Intent], now: datetime) -> None:
    dependents = [locked[pk] for pk in sorted(graph.dependent_ids([intent.pk]))]
    blocked = [each for each in dependents if each.status == Status.BLOCKED and not each.on_hold]
    still_waiting = graph.unmet_dependencies([each.pk for each in blocked])
    still_waiting |= pending_blocking([each.pk for each in blocked])
    for each in blocked:
        if each.pk not in still_waiting:
            change_status(each, Status.PENDING, actor=SYSTEM, reason="dependencies_completed", now=now)


def _tell_dependents(closed: Sequence[Intent], locked: dict[Any, Intent], actor: Actor, now: datetime) -> None:
    abandoned = {each.pk for each in closed}
    edges = Edge.objects.filter(awaited_id__in=abandoned, kind=EdgeKind.DEPENDENCY).order_by("waiter_id", "awaited_id")
    for waiter_id, awaited_id in edges.values_list("waiter_id", "awaited_id"):
        if not locked[waiter_id].is_final:
            event = NewEvent(EventType.DEPENDENCY_ABANDONED, {"dependency_id": str(awaited_id)})
            append(locked[waiter_id], event, actor=actor, now=now)


def _require_events(uids: set[UUID]) -> None:
    if uids:
        missing = uids - set(Event.objects.filter(uid__in=uids).values_list("uid", flat=True))
        if missing:
            raise Invalid.field("parent_event_id", f"no event has the id {min(missing)}", "unknown_id")


def _within_limit(state: dict[str, Any]) -> dict[str, Any]:
    """Raises TooLarge."""
    if not strict_json.fits(state, settings.MAX_STATE):
        raise TooLarge("The state would be too large.", limit=settings.MAX_STATE)
    return state
