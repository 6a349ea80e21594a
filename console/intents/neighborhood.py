"""Related intents: the nearest ones of the graph, and the edges between them."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID
from zlib import crc32

import orjson
from django.db.models import Count, Q

from core.ids import as_uuid
from intents import graph
from intents.models import Edge, EdgeKind, Intent

MAX_NODES = 300  # Nodes: laying out a thousand would block the reader's page for seconds.
MAX_EDGES = 1_500
SMALL = 50  # Nodes: a graph of up to so many is shown as a drawing, a larger one as a tree.
MAX_COUNT = 10_000  # Related intents that are counted.
MAX_PATH = 20  # Ancestors that a page names.

IntentRef = tuple[UUID, str]
"""The id and the title of an intent at the other end of an edge."""


@dataclass(frozen=True, slots=True)
class Node:
    id: UUID
    title: str
    status: str
    agents: list[str]
    parent: IntentRef | None
    waits_for: list[IntentRef]
    is_here: bool


@dataclass(frozen=True, slots=True)
class RelatedIntents:
    """`key` changes whenever the drawing does."""

    nodes: list[Node]
    edges: int
    is_cut: bool
    key: int


def load_related(intent: Intent, most: int | None = None) -> RelatedIntents:
    """Return up to `most` intents around this one (MAX_NODES if not given), in three queries."""
    most = most or MAX_NODES
    ids = graph.neighbourhood(intent.pk, most + 1)
    found, edges = graph.subgraph(ids[:most], MAX_EDGES)
    rows = {as_uuid(row.id): row for row in found}
    parents: dict[UUID, IntentRef] = {}
    waits: dict[UUID, list[IntentRef]] = defaultdict(list)
    for edge in edges:
        waiter, awaited = as_uuid(edge.waiter_id), as_uuid(edge.awaited_id)
        if edge.kind == EdgeKind.CHILD:
            parents[awaited] = (waiter, rows[waiter].title)
        else:
            waits[waiter].append((awaited, rows[awaited].title))
    nodes = []
    for pk in ids[:most]:
        if row := rows.get(pk):
            agents = orjson.loads(row.agents) if isinstance(row.agents, str) else row.agents
            names = [each["agent_id"] for each in agents]
            nodes.append(Node(pk, row.title, row.status, names, parents.get(pk), waits[pk], pk == intent.pk))
    return RelatedIntents(nodes, len(edges), len(ids) > most or len(edges) == MAX_EDGES, crc32(repr(nodes).encode()))


def count_reachable(intent: Intent) -> int:
    """Return the number of intents that edges connect with this one, itself included, up to MAX_COUNT + 1."""
    return len(graph.neighbourhood(intent.pk, MAX_COUNT + 1))


def count_related(intent: Intent) -> dict[str, int]:
    """Return the number of related intents by the list's filter parameter, without zeros."""
    waits, is_awaited, is_child = Q(waiter=intent), Q(awaited=intent), Q(kind=EdgeKind.CHILD)
    found = Edge.objects.filter(waits | is_awaited).aggregate(
        parent=Count("pk", filter=waits & is_child),
        needed_by=Count("pk", filter=waits & ~is_child),
        waits_for=Count("pk", filter=is_awaited & ~is_child),
    )
    return {name: count for name, count in found.items() if count}
