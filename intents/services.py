"""Intent verbs: every change of intents, their graph, their assignments and their log (RFC-0001, RFC-0002)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from access.identity import SYSTEM, Actor
from core import strict_json
from core.db import acquire_advisory_lock, atomic_verb, clock_and_epoch
from core.db.sql_rows import Row
from core.errors import Invalid, TooLarge
from core.ids import new_id
from costs.budgets import check_intent_budgets
from costs.guards import require_limits_kept
from costs.services import record_limits
from governance.guards import pending_blocking
from governance.services import withdraw_pending
from intents import graph, operations
from intents.errors import CompletionGate, DependencyCycle, IntentNotFound, ReservedEventType
from intents.events import RESERVED, EventType, NewEvent, append, require_payload_size
from intents.insertion import Insertion, new_intent
from intents.models import FINAL, Assignment, Edge, EdgeKind, Event, Intent, Status, initial_status
from intents.operations import Assignee, change_status, increment_version, status_changed_event
from intents.patches import Patch, apply_patches
from intents.write_lock import lock_for_write, require_permitted, require_writable
from leasing.guards import require_scope, require_token
from leasing.services import release_all
from portfolios.lock_order import lock_with_portfolios
from portfolios.models import Portfolio
from portfolios.services import complete_at_threshold
from retries.services import resolve_failures

GRAPH_LOCK = "intent graph"
"""Held while edges are added that could close a cycle: two verbs that would close it together must see each other's edges."""


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
    """Create an intent: `draft`, or `blocked` or `pending` by its dependencies (rule I-4).

    Raises Invalid for a parent or dependency that does not exist, LeaseLost for the parent's fencing token, IntentClosed for
    a final parent, DependencyCycle, TooLarge.
    """
    depends_on = list(dict.fromkeys(depends_on))
    parent, dependencies = _lock_related(parent_intent_id, depends_on, actor)
    state = state or {}
    _require_state_size(state)

    related = [*dependencies, *([parent] if parent else [])]
    now, epoch = (related[0].now(), related[0].epoch) if related else clock_and_epoch()
    require_permitted("create_intent", actor, intents=[parent] if parent else [], epoch=epoch, values={})
    insertion = Insertion(now)
    intent = new_intent(
        pk=new_id(),
        title=title,
        description=description,
        status=initial_status([each.status for each in dependencies]),
        state=state,
        constraints=constraints or {},
        confidence=confidence,
        parent_intent_id=parent_intent_id,
        created_by=actor.id,
        now=insertion.now,
    )
    insertion.create(intent, actor, depends_on=depends_on, assign=assign)
    insertion.write()
    record_limits(intent, {}, actor)
    return intent


@atomic_verb
def update_intent(*, intent_id: UUID | str, expected_version: int, actor: Actor, changes: dict[str, Any]) -> Intent:
    """Change the title, description, constraints or confidence. Alert at once about limits that are already exceeded (rule C-5).

    Raises IntentNotFound, LeaseLost, VersionConflict, Forbidden.
    """
    intent = lock_for_write(intent_id, actor, "update_intent", expected_version)
    constraints = intent.constraints
    if "constraints" in changes:
        require_limits_kept(intent, changes["constraints"], actor)
    for name, value in changes.items():
        setattr(intent, name, value)
    increment_version(intent, EventType.INTENT_UPDATED, {"changes": changes}, actor=actor, saving=tuple(changes))
    if "constraints" in changes:
        record_limits(intent, constraints, actor)
        check_intent_budgets(intent, intent.updated_at)
    return intent


@atomic_verb
def patch_state(*, intent_id: UUID | str, expected_version: int, actor: Actor, patches: Sequence[Patch]) -> Intent:
    """Apply the patches to the state, all or none (rule I-3).

    Raises IntentNotFound, LeaseLost, VersionConflict, LeaseConflict, InvalidPatch, TooLarge.
    """
    intent = lock_for_write(intent_id, actor, "update_state", expected_version)
    require_scope(intent, patches, actor)
    apply_patches(intent.state, patches)
    _require_state_size(intent.state)
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
    """Move the intent to another status (rules I-5, I-6, G-2, G-4, G-5). Idempotent.

    One that is `blocked` by its dependencies or an arbitration, and is set to `blocked` by hand, is put on hold (rule I-9).

    Completing it unblocks its dependents; abandoning it writes `dependency_abandoned` to theirs, and with `cascade` abandons
    its open descendants as well. Its leases are released (rule L-6). A portfolio that reaches its threshold by it is completed (rule P-2).

    Raises IntentNotFound, LeaseLost, VersionConflict, IllegalTransition, CompletionGate, Invalid.
    """
    if cascade and status != Status.ABANDONED:
        raise Invalid.field("cascade", 'is only valid with status "abandoned"')
    locked, portfolios = _lock_for_status(intent_id, status, cascade)
    intent = require_writable(locked[intent_id], actor, "set_status", expected_version, status=status, reason=reason)
    on_hold = status == Status.BLOCKED
    if intent.status == status and intent.on_hold == on_hold:
        return intent
    if intent.status != status:
        intent.require_transition(status)
    now = intent.now()
    _require_gate(intent, status, now)

    affected = [intent]
    if cascade:
        descendants = [locked[pk] for pk in sorted(graph.descendant_ids(intent.pk))]
        affected += [each for each in descendants if not each.is_final]
    for each in affected[1:]:
        require_permitted("set_status", actor, intents=[intent, each], values={"status": status, "reason": reason})
    for each in affected:
        change_status(each, status, actor=actor, reason=reason, now=now, on_hold=on_hold)
        if status in FINAL:
            release_all(each, actor=actor, reason=f"intent_{status}")
    if status in FINAL:
        withdraw_pending(affected)
    if status == Status.COMPLETED:
        resolve_failures(intent, now)
        _unblock_dependents(intent, locked, now)
    elif status == Status.ABANDONED:
        _append_dependency_abandoned(affected, locked, actor, now)
    complete_at_threshold(portfolios, now=now)
    return intent


# --- graph ---------------------------------------------------------------------------------------------------------


@atomic_verb
def add_dependencies(
    *, intent_id: UUID | str, expected_version: int, actor: Actor, depends_on: Sequence[UUID]
) -> tuple[Intent, bool]:
    """Add dependencies (rules G-1, G-3). Return the intent, and whether any was new.

    Raises IntentNotFound, LeaseLost, VersionConflict, IntentClosed, Invalid, DependencyCycle.
    """
    acquire_advisory_lock(GRAPH_LOCK)
    requested = list(dict.fromkeys(depends_on))
    pk = Intent.objects.require(intent_id)
    locked = Intent.objects.lock_all({pk, *requested})
    intent = require_writable(locked[pk], actor, "add_dependency", expected_version)
    intent.require_open()
    if pk in requested:
        raise DependencyCycle([pk, pk])
    _require_known(locked, "depends_on", requested)
    new = [each for each in requested if str(each) not in intent.depends_on]
    if not new:
        return intent, False
    if path := graph.find_path(new, pk):
        raise DependencyCycle([pk, *path])

    Edge.objects.bulk_create([Edge(waiter=intent, awaited_id=pk, kind=EdgeKind.DEPENDENCY) for pk in new])
    intent.depends_on = [*intent.depends_on, *map(str, new)]
    previous_status = intent.status
    if any(locked[each].status != Status.COMPLETED for each in new):
        intent.status = Status.BLOCKED
    _increment_dependency_version(intent, EventType.DEPENDENCY_ADDED, new, previous_status, actor=actor)
    return intent, True


@atomic_verb
def remove_dependency(*, intent_id: UUID | str, dependency_id: UUID | str, expected_version: int, actor: Actor) -> Intent:
    """Remove a dependency; without any unmet one left, the intent is unblocked (rule G-3). Idempotent.

    Raises IntentNotFound (also for a malformed id of the dependency), LeaseLost, VersionConflict, IntentClosed.
    """
    intent = lock_for_write(intent_id, actor, "remove_dependency")
    if not isinstance(dependency_id, UUID):
        raise IntentNotFound(dependency_id)
    if str(dependency_id) not in intent.depends_on:
        return intent
    intent.require_version(expected_version)
    intent.require_open()
    was_waiting = bool(graph.unmet_dependencies([intent.pk]))
    Edge.objects.filter(waiter=intent, awaited=dependency_id, kind=EdgeKind.DEPENDENCY).delete()
    intent.depends_on = [pk for pk in intent.depends_on if pk != str(dependency_id)]
    previous_status = intent.status
    stays_blocked = intent.on_hold or bool(pending_blocking([intent.pk]))
    if previous_status == Status.BLOCKED and was_waiting and not stays_blocked and not graph.unmet_dependencies([intent.pk]):
        intent.status = Status.PENDING
    _increment_dependency_version(intent, EventType.DEPENDENCY_REMOVED, [dependency_id], previous_status, actor=actor)
    return intent


@atomic_verb
def create_dependency(*, intent_id: UUID, actor: Actor, depends_on: Sequence[UUID] = (), **given: Any) -> Intent:
    """Create an intent that another one depends on: `create_intent` and `add_dependencies` in one. Return the new intent.

    Raises what they raise.
    """
    acquire_advisory_lock(GRAPH_LOCK)  # First, as they do: the intents are locked under it.
    related = {intent_id, *depends_on, *filter(None, [given.get("parent_intent_id")])}
    locked = Intent.objects.lock_all(related)
    _require_known(locked, "needed_by", [intent_id])
    made = create_intent(actor=actor, depends_on=depends_on, **given)
    version = locked[intent_id].version
    add_dependencies(intent_id=intent_id, expected_version=version, actor=actor, depends_on=[made.pk])
    return made


# --- agents --------------------------------------------------------------------------------------------------------


@atomic_verb
def assign_agent(*, intent_id: UUID | str, assignee: Assignee, actor: Actor) -> tuple[Assignment, bool]:
    """Assign an agent to the intent, or change its role. Return the assignment, and whether anything changed.

    Raises IntentNotFound, LeaseLost.
    """
    intent = lock_for_write(intent_id, actor, "assign_agent")
    return operations.assign(intent, assignee, actor, intent.now())


@atomic_verb
def unassign_agent(*, intent_id: UUID | str, agent_id: str, actor: Actor) -> None:
    """Remove an agent's assignment. Idempotent. Raises IntentNotFound, LeaseLost."""
    intent = lock_for_write(intent_id, actor, "unassign_agent")
    operations.unassign(intent, agent_id, actor, intent.now())


# --- events --------------------------------------------------------------------------------------------------------


@atomic_verb
def log_events(*, intent_id: UUID | str, events: Sequence[NewEvent], actor: Actor) -> list[Row]:
    """Append to the intent's log, all or none, in this order (rules E-4, E-5).

    Raises IntentNotFound, LeaseLost, ReservedEventType, TooLarge, Invalid for a parent event that does not exist.
    """
    for event in events:
        if event.event_type in RESERVED:
            raise ReservedEventType(event.event_type)
    _require_payload_sizes(events)
    intent = lock_for_write(intent_id, actor, "log_event")
    if parents := {event.parent_event_id for event in events if event.parent_event_id}:
        missing = parents - set(Event.objects.filter(uid__in=parents).values_list("uid", flat=True))
        if missing:
            raise Invalid.field("parent_event_id", f"no event has the id {min(missing)}", "unknown_id")
    return append(intent, *events, actor=actor, now=intent.now())


# --- parts of verbs ------------------------------------------------------------------------------------------------


def _lock_related(parent_intent_id: UUID | None, depends_on: Sequence[UUID], actor: Actor) -> tuple[Intent | None, list[Intent]]:
    """Lock the parent and the dependencies of a new intent, and return them.

    Raises Invalid, LeaseLost, IntentClosed, DependencyCycle.
    """
    if parent_intent_id and depends_on:  # Only then does the new intent lie on a path between others.
        acquire_advisory_lock(GRAPH_LOCK)
    parents = [parent_intent_id] if parent_intent_id else []
    locked = Intent.objects.lock_all({*depends_on, *parents})
    _require_known(locked, "parent_intent_id", parents)
    _require_known(locked, "depends_on", depends_on)
    if parent_intent_id:
        require_token(locked[parent_intent_id], actor)
        locked[parent_intent_id].require_open()
        if depends_on and (path := graph.find_path(depends_on, parent_intent_id)):
            raise DependencyCycle([parent_intent_id, *path])
    return locked[parent_intent_id] if parent_intent_id else None, [locked[pk] for pk in depends_on]


def _require_payload_sizes(events: Sequence[NewEvent]) -> None:
    """Raise TooLarge if the payload of one of the events is. Mostly all of them together are small enough for one."""
    if not strict_json.fits([event.payload for event in events], settings.MAX_EVENT_PAYLOAD):
        for event in events:
            require_payload_size(event.payload, "The payload of an event is too large.")


def _require_state_size(state: dict[str, Any]) -> None:
    """Raise TooLarge if the state exceeds MAX_STATE."""
    if not strict_json.fits(state, settings.MAX_STATE):
        raise TooLarge("The state would be too large.", limit=settings.MAX_STATE)


def _require_known(found: dict[UUID, Intent], field: str, ids: Collection[UUID]) -> None:
    """Raise Invalid if one of the ids in a request's field is not among the intents found."""
    for pk in ids:
        if pk not in found:
            raise Invalid.field(field, f"no intent has the id {pk}", "unknown_id")


def _increment_dependency_version(
    intent: Intent, event_type: EventType, dependency_ids: Collection[UUID], previous_status: str, *, actor: Actor
) -> None:
    """Increment the version once for the request as a whole, which may be several events: each dependency, and the status."""
    now = intent.now()
    intent.version += 1
    intent.updated_at = now
    events = [NewEvent(event_type, {"dependency_id": str(pk), "version": intent.version}) for pk in dependency_ids]
    append(intent, *events, actor=actor, now=now, saving=("depends_on", "status", "version", "updated_at"))
    if intent.status != previous_status:
        append(intent, status_changed_event(intent, previous_status, f"{event_type}"), actor=SYSTEM, now=now)


def _lock_for_status(intent_id: UUID | str, status: str, cascade: bool) -> tuple[dict[Any, Intent], list[Portfolio]]:
    """Lock the intent and, if the status is final, all intents that this affects and the portfolios that it may complete."""
    if status not in FINAL:
        return {intent_id: Intent.objects.lock(intent_id)}, []
    root = Intent.objects.require(intent_id)

    def find_affected() -> tuple[set[UUID], set[UUID]]:
        closing = {root} | (graph.descendant_ids(root) if cascade else set())
        return closing, closing | graph.dependent_ids(closing)

    return lock_with_portfolios(find_affected)


def _require_gate(intent: Intent, status: str, now: datetime) -> None:
    """Raise CompletionGate if something is unfinished (rules I-6, G-4, A-2). An intent can always be abandoned."""
    if status in (Status.ABANDONED, Status.BLOCKED):
        return
    if (intent.status == Status.BLOCKED or status == Status.COMPLETED) and (unmet := graph.unmet_dependencies([intent.pk])):
        raise CompletionGate(unmet[intent.pk], "The intent waits for dependencies that are not completed.")
    if intent.status == Status.BLOCKED and (pending := pending_blocking([intent.pk], now)):
        raise CompletionGate(pending[intent.pk], "The intent waits for arbitrations that are not decided.")
    if status == Status.COMPLETED:
        open_children = intent.children.exclude(status__in=FINAL).order_by("pk").values_list("pk", flat=True)
        if waiting_for := list(open_children):
            raise CompletionGate(waiting_for, "The intent has children that are neither completed nor abandoned.")


def _unblock_dependents(intent: Intent, locked: dict[Any, Intent], now: datetime) -> None:
    dependents = [locked[pk] for pk in sorted(graph.dependent_ids([intent.pk]))]
    blocked = [each for each in dependents if each.status == Status.BLOCKED and not each.on_hold]
    ids = [each.pk for each in blocked]
    still_waiting = graph.unmet_dependencies(ids) | pending_blocking(ids)
    for each in blocked:
        if each.pk not in still_waiting:
            change_status(each, Status.PENDING, actor=SYSTEM, reason="dependencies_completed", now=now)


def _append_dependency_abandoned(abandoned: Sequence[Intent], locked: dict[Any, Intent], actor: Actor, now: datetime) -> None:
    """Append `dependency_abandoned` to each open dependent's log."""
    ids = {each.pk for each in abandoned}
    edges = Edge.objects.filter(awaited_id__in=ids, kind=EdgeKind.DEPENDENCY).order_by("waiter_id", "awaited_id")
    for waiter_id, awaited_id in edges.values_list("waiter_id", "awaited_id"):
        if not locked[waiter_id].is_final:
            event = NewEvent(EventType.DEPENDENCY_ABANDONED, {"dependency_id": str(awaited_id)})
            append(locked[waiter_id], event, actor=actor, now=now)
