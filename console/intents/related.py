"""What an intent is tied to, as its page draws it: the nearest intents, and the edges between them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zlib import crc32

import orjson
from django.db.models import Count, Q

from intents import graph
from intents.models import Edge, EdgeKind, Intent

MOST = 300  # Nodes: laying out a thousand would block the reader's page for seconds.
MOST_EDGES = 1_500

Tie = tuple[UUID, str]
"""The id and the title of an intent at the other end of an edge."""


@dataclass(frozen=True, slots=True)
class Node:
    id: UUID
    title: str
    status: str
    agents: list[str]
    parent: Tie | None
    waits_for: list[Tie]
    is_here: bool


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`key` is another whenever something is drawn otherwise."""

    nodes: list[Node]
    edges: int
    is_cut: bool
    key: int


def of(intent: Intent) -> Neighbours:
    """Three queries, whatever there is."""
    ids = graph.neighbourhood(intent.pk, MOST + 1)
    found, edges = graph.subgraph(ids[:MOST], MOST_EDGES)
    rows = {_uuid(row.id): row for row in found}
    titles = {pk: row.title for pk, row in rows.items()}
    parents, waits = _ties(edges, titles)
    nodes = [
        Node(pk, titles[pk], row.status, _agents(row), parents.get(pk), waits[pk], pk == intent.pk)
        for pk in ids[:MOST]
        if (row := rows.get(pk))
    ]
    return Neighbours(nodes, len(edges), len(ids) > MOST or len(edges) == MOST_EDGES, crc32(repr(nodes).encode()))


def ties(intent: Intent) -> dict[str, int]:
    """How many intents are tied to it, by the parameter with which the list of intents shows them all; only where there are some."""
    waits, is_awaited, is_child = Q(waiter=intent), Q(awaited=intent), Q(kind=EdgeKind.CHILD)
    found = Edge.objects.filter(waits | is_awaited).aggregate(
        parent=Count("pk", filter=waits & is_child),
        needed_by=Count("pk", filter=waits & ~is_child),
        waits_for=Count("pk", filter=is_awaited & ~is_child),
    )
    return {name: count for name, count in found.items() if count}


def _ties(edges: Iterable[Any], titles: Mapping[UUID, str]) -> tuple[dict[UUID, Tie], dict[UUID, list[Tie]]]:
    """The parent of each, and the dependencies of each."""
    parents: dict[UUID, Tie] = {}
    waits: dict[UUID, list[Tie]] = defaultdict(list)
    for edge in edges:
        waiter, awaited = _uuid(edge.waiter_id), _uuid(edge.awaited_id)
        if edge.kind == EdgeKind.CHILD:
            parents[awaited] = (waiter, titles[waiter])
        else:
            waits[waiter].append((awaited, titles[awaited]))
    return parents, waits


def _agents(row: Any) -> list[str]:
    agents = orjson.loads(row.agents) if isinstance(row.agents, str) else row.agents
    return [each["agent_id"] for each in agents]


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
