"""Graph queries (RFC-0002): a fixed number of queries each, whatever the size of the graph (rule G-7)."""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from core import db, encoding
from core.db import sql_rows
from core.db.sql_rows import Row
from core.ids import as_uuid
from intents.models import FINAL, Edge, EdgeKind, Intent, Status

_KINDS = {"all": "", **{kind: f"AND e.kind = '{kind}'" for kind in EdgeKind.values}}


def awaited_ids_sql(waiters: Collection[UUID], kind: str = "all") -> tuple[str, list[Any]]:
    """Return SQL and its parameters for the ids of the intents, and of all that they wait for, directly or not.

    UNION, not UNION ALL: the paths through diamonds multiply, the intents do not. VALUES in brackets, since
    SQLite takes 500 terms of a UNION.
    """
    seeds = ", ".join(["(%s::uuid)" if connection.vendor == "postgresql" else "(%s)"] * len(waiters))
    sql = f"""
        WITH RECURSIVE awaited(id) AS (
            SELECT * FROM (VALUES {seeds}) AS waiters
            UNION
            SELECT e.awaited_id FROM awaited JOIN intents_edge e ON e.waiter_id = awaited.id {_KINDS[kind]}
        )
        SELECT id FROM awaited
    """
    return sql, [_parameter(waiter) for waiter in waiters]


def edges_towards(starts: Collection[UUID], goals: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Return the edges, as (waiter, awaited), among all that `starts` wait for if that includes one of `goals`; else none."""
    sql, parameters = awaited_ids_sql(starts)
    rows = db.run(sql, parameters) if connection.vendor == "postgresql" else db.fetch_all(sql, parameters)
    if {str(row[0]) for row in rows}.isdisjoint([str(_parameter(goal)) for goal in goals]):
        return []
    return [*Edge.objects.filter(waiter_id__in=RawSQL(sql, parameters)).values_list("waiter_id", "awaited_id")]


def find_path(starts: Collection[UUID], goal: UUID) -> list[UUID] | None:
    """Return the shortest path along which one of `starts` waits for `goal`, or None."""
    awaited_by_waiter = defaultdict(list)
    for waiter, awaited in edges_towards(starts, [goal]):
        awaited_by_waiter[waiter].append(awaited)
    previous: dict[UUID, UUID | None] = dict.fromkeys(starts)
    queue = deque(starts)
    while queue and goal not in previous:
        node = queue.popleft()
        for awaited in awaited_by_waiter[node]:
            if awaited not in previous:
                previous[awaited] = node
                queue.append(awaited)
    if goal not in previous:
        return None
    path = [goal]
    while (before := previous[path[-1]]) is not None:
        path.append(before)
    return path[::-1]


def descendants(intent_id: UUID) -> QuerySet[Intent]:
    sql = """
        WITH RECURSIVE below(id) AS (
            SELECT id FROM intents_intent WHERE parent_intent_id = %s
            UNION ALL
            SELECT i.id FROM below JOIN intents_intent i ON i.parent_intent_id = below.id
        )
        SELECT id FROM below
    """
    return Intent.objects.filter(pk__in=RawSQL(sql, [_parameter(intent_id)]))


def ancestors(intent_id: UUID, *, beyond: int, limit: int) -> list[tuple[int, Intent]]:
    """Return up to `limit` ancestors above the level `beyond` (the parent is level 1), the nearest first."""
    sql = """
        WITH RECURSIVE above(id, level) AS (
            SELECT parent_intent_id, 1 FROM intents_intent WHERE id = %s
            UNION ALL
            SELECT i.parent_intent_id, level + 1 FROM above JOIN intents_intent i ON i.id = above.id
        )
        SELECT id, level FROM above WHERE id IS NOT NULL AND level > %s ORDER BY level LIMIT %s
    """
    levels = {as_uuid(row[0]): row[1] for row in db.fetch_all(sql, [_parameter(intent_id), beyond, limit])}
    found = Intent.objects.in_bulk(list(levels))
    return [(level, found[pk]) for pk, level in levels.items()]


def neighbourhood(intent_id: UUID, limit: int) -> list[UUID]:
    """Return up to `limit` ids: the intent's, and those connected to it by edges of either kind and direction, the nearest first.

    Both databases find them level by level, and stop at the limit.
    """
    sql = """
        WITH RECURSIVE near(id) AS (
            SELECT id FROM intents_intent WHERE id = %s
            UNION
            SELECT CASE WHEN e.waiter_id = near.id THEN e.awaited_id ELSE e.waiter_id END
            FROM near JOIN intents_edge e ON e.waiter_id = near.id OR e.awaited_id = near.id
        )
        SELECT id FROM near LIMIT %s
    """
    return [as_uuid(row[0]) for row in db.fetch_all(sql, [_parameter(intent_id), limit])]


def subgraph(ids: Collection[UUID], limit: int) -> tuple[list[Row], list[Row]]:
    """Return the intents with these ids, and up to `limit` edges between them."""
    nodes = sql_rows.fetch(Intent.objects.filter(pk__in=ids).order_by("pk"), *NODE_FIELDS)
    edges = Edge.objects.filter(waiter_id__in=ids, awaited_id__in=ids).order_by("waiter_id", "kind", "awaited_id")
    return nodes, sql_rows.fetch(edges[:limit], *EDGE_FIELDS)


def dependencies(intent_id: UUID) -> QuerySet[Intent]:
    edges = Edge.objects.filter(waiter_id=intent_id, kind=EdgeKind.DEPENDENCY)
    return Intent.objects.filter(pk__in=edges.values("awaited_id"))


def dependents(intent_id: UUID) -> QuerySet[Intent]:
    edges = Edge.objects.filter(awaited_id=intent_id, kind=EdgeKind.DEPENDENCY)
    return Intent.objects.filter(pk__in=edges.values("waiter_id"))


def dependent_ids(intent_ids: Collection[UUID]) -> set[UUID]:
    """Return the ids of the intents that depend on any of these."""
    edges = Edge.objects.filter(awaited_id__in=list(intent_ids), kind=EdgeKind.DEPENDENCY)
    return set(edges.values_list("waiter_id", flat=True))


def descendant_ids(intent_id: UUID) -> set[UUID]:
    return set(descendants(intent_id).values_list("pk", flat=True))


def unmet_dependencies(waiter_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return the dependencies of each intent that are not completed; intents without any are left out."""
    edges = (
        Edge.objects.filter(waiter_id__in=list(waiter_ids), kind=EdgeKind.DEPENDENCY)
        .exclude(awaited__status=Status.COMPLETED)
        .order_by("awaited_id")
    )
    found = defaultdict(list)
    for waiter, awaited in edges.values_list("waiter_id", "awaited_id"):
        found[waiter].append(awaited)
    return dict(found)


def open_children(intent_id: UUID, *, ready: bool) -> QuerySet[Intent]:
    """Return the open children that are ready to be worked on, or else the others (rule G-6).

    An intent is `blocked` by an unmet dependency, by a pending decision, or by hand.
    """
    unmet_edges = Edge.objects.filter(waiter_id=OuterRef("pk"), kind=EdgeKind.DEPENDENCY).exclude(
        awaited__status=Status.COMPLETED
    )
    waits = Q(Exists(unmet_edges)) | Q(status=Status.BLOCKED)
    children = Intent.objects.filter(parent_intent_id=intent_id).exclude(status__in=FINAL)
    return children.filter(~waits if ready else waits)


NODE_FIELDS = ("id", "title", "status", "version", "agents", "created_by", "parent_intent_id", "updated_at")
EDGE_FIELDS = ("waiter_id", "awaited_id", "kind")


class Graph(NamedTuple):
    root: UUID
    nodes: list[Row]
    edges: list[Row]
    aggregate_status: dict[str, Any]


def awaited_ids(intent_id: UUID) -> RawSQL:
    """Return the expression of the ids of the intent and of all that it waits for, directly or not."""
    return RawSQL(*awaited_ids_sql([intent_id]))


def reachable(intent_id: UUID) -> Graph:
    """Return the graph below the intent, itself included (rule G-6)."""
    within = awaited_ids(intent_id)
    nodes = sql_rows.fetch(Intent.objects.filter(pk__in=within).order_by("pk"), *NODE_FIELDS)
    edges = sql_rows.fetch(Edge.objects.filter(waiter_id__in=within).order_by("waiter_id", "kind", "awaited_id"), *EDGE_FIELDS)
    return Graph(intent_id, nodes, edges, aggregate_status(nodes, edges))


def aggregate_status(nodes: Collection[Row], edges: Iterable[Row]) -> dict[str, Any]:
    """Return the progress of the intents: `{total, by_status, completion_percentage, blocking_intents, ready_intents}`.

    Blocking are the open intents that others depend on; ready are the open ones that are not blocked, and whose own dependencies
    are all completed.
    """
    status = {node.id: node.status for node in nodes}
    counts = Counter(status.values())
    unmet_edges = [edge for edge in edges if edge.kind == EdgeKind.DEPENDENCY and status.get(edge.awaited_id) != Status.COMPLETED]
    awaited, waiting = {edge.awaited_id for edge in unmet_edges}, {edge.waiter_id for edge in unmet_edges}
    still_open = [node.id for node in nodes if node.status not in FINAL]
    return {
        "total": len(nodes),
        "by_status": {str(each): counts[each] for each in Status},
        "completion_percentage": round(100 * counts[Status.COMPLETED] / (len(nodes) or 1), 2),
        "blocking_intents": [encoding.identifier(pk) for pk in still_open if pk in awaited],
        "ready_intents": [encoding.identifier(pk) for pk in still_open if pk not in waiting and status[pk] != Status.BLOCKED],
    }


def _parameter(pk: UUID) -> Any:
    """Return the id as raw SQL takes and returns it."""
    return pk if connection.vendor == "postgresql" else pk.hex
