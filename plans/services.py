"""Plan verb: create intents with their edges, assignments and portfolio, all or none (rule G-8)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from core.db import acquire_advisory_lock, atomic_verb, current_epoch, database_now
from core.ids import new_ids
from costs.services import record_first_limits
from intents.errors import DependencyCycle
from intents.graph import edges_towards
from intents.insertion import Insertion, new_intent
from intents.models import Intent, Status, initial_status
from intents.services import GRAPH_LOCK
from intents.write_lock import require_permitted
from leasing.guards import require_tokens
from plans import graph, plan
from plans.plan import Links, PlannedIntent
from portfolios.models import NewMember, Portfolio
from portfolios.services import add_new_intents, create_portfolio


class CreatedPlan(NamedTuple):
    """The result of a plan: its intents as they were given, its portfolio and the portfolio's members."""

    intents: list[Intent]
    portfolio: Portfolio | None
    members: list[NewMember]


@atomic_verb
def create_plan(*, intents: Sequence[PlannedIntent], portfolio: Mapping[str, Any] | None = None) -> CreatedPlan:
    """Create the intents, and the portfolio of all of them if there is one: the arguments of `create_portfolio`.

    The result is that of single verbs: the portfolio, then each intent after its parent and its dependencies, then each
    membership in the same order. The number of statements does not depend on that of the intents, up to a thousand.

    Raises Invalid for duplicate and unknown refs and for ids that do not exist, DependencyCycle, LeaseLost for the fencing
    token of an existing parent, IntentClosed for a final one.
    """
    links = plan.resolve(intents)
    existing = _lock_existing(intents, links)
    if intents:
        parents = [existing[each.parent] for each in links if isinstance(each.parent, UUID)]
        require_permitted("create_intent", intents[0].actor, intents=parents, epoch=current_epoch(), values={})
    created_portfolio = create_portfolio(**portfolio) if portfolio else None
    order = graph.creation_order(links)
    insertion = Insertion(database_now())
    created = _collect(insertion, intents, links, order, existing)
    members: list[NewMember] = []
    if created_portfolio:
        members = [NewMember(created[n], intents[n].role, intents[n].priority, intents[n].actor) for n in order]
        add_new_intents(created_portfolio, members, insertion)
    insertion.write()
    record_first_limits((created[index], intents[index].actor) for index in order)
    return CreatedPlan([created[index] for index in range(len(intents))], created_portfolio, members)


def _lock_existing(intents: Sequence[PlannedIntent], links: Sequence[Links]) -> dict[UUID, Intent]:
    """Lock the existing parents and dependencies, by id, once the plan has passed all checks.

    Raises Invalid, DependencyCycle, LeaseLost, IntentClosed.
    """
    parents = {each.parent for each in links if isinstance(each.parent, UUID)}
    dependencies = {node for each in links for node in each.depends_on if isinstance(node, UUID)}
    if parents and dependencies:  # Only then do the new intents lie on paths between others.
        acquire_advisory_lock(GRAPH_LOCK)
    locked = Intent.objects.lock_fields(parents | dependencies, "status", "last_event_at")
    plan.require_known(intents, links, locked)
    edges = edges_towards(dependencies, parents) if parents and dependencies else []
    if cycle := graph.find_cycle(links, edges):
        raise DependencyCycle([plan.describe(node, intents) for node in cycle])
    writes = {
        (own.parent, each.actor): locked[own.parent]
        for each, own in zip(intents, links, strict=True)
        if isinstance(own.parent, UUID)
    }
    now = database_now() if writes else None
    for intent in writes.values():
        intent.locked_at = now
    require_tokens([(intent, actor) for (_, actor), intent in writes.items()])
    for intent in writes.values():
        intent.require_open()
    return locked


def _collect(
    insertion: Insertion,
    intents: Sequence[PlannedIntent],
    links: Sequence[Links],
    order: Sequence[int],
    existing: Mapping[UUID, Intent],
) -> dict[int, Intent]:
    """Collect the intents with their edges and assignments. Return them by index; their ids are in the order of creation."""
    ids = dict(zip(order, new_ids(len(order)), strict=True))
    found: dict[int, Intent] = {}
    for index in order:
        each, own = intents[index], links[index]
        statuses = [existing[node].status if isinstance(node, UUID) else Status.DRAFT for node in own.depends_on]
        found[index] = new_intent(
            pk=ids[index],
            title=each.title,
            description=each.description,
            status=initial_status(statuses),
            state=each.state,
            constraints=each.constraints,
            confidence=each.confidence,
            parent_intent_id=ids[own.parent] if isinstance(own.parent, int) else own.parent,
            created_by=each.actor.id,
            now=insertion.now,
        )
        depends_on = [ids[node] if isinstance(node, int) else node for node in own.depends_on]
        insertion.create(found[index], each.actor, depends_on=depends_on, assign=each.assign)
    return found
