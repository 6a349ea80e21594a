"""Large graphs: they work, and a read of one costs as many queries as a read of a small one (rule G-7)."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.ids import new_id
from intents.log_verification import verify
from intents.models import Edge, EdgeKind, Event, Intent
from tests.conftest import Caller
from tests.system.concurrent_clients import rounds

CHAIN = 1_500
TREE = 10_000
BRANCHES = 10

pytestmark = [pytest.mark.rule("G-7"), pytest.mark.django_db, pytest.mark.full]


def seed(
    number: int,
    *,
    parent: Callable[[int], int | None] = lambda index: None,
    awaits: Callable[[int], Sequence[int]] = lambda index: (),
) -> list[UUID]:
    """So many intents as the verbs would have made them, log and all; `parent` and `awaits` name earlier ones by number."""
    ids = sorted(new_id() for _ in range(number))
    now, logged = timezone.now(), Event.objects.count()
    intents = [
        Intent(
            id=pk,
            title=f"Number {index}",
            status="blocked" if awaits(index) else "draft",
            parent_intent_id=None if (above := parent(index)) is None else ids[above],
            depends_on=[str(ids[each]) for each in awaits(index)],
            created_by="ada",
            created_at=now,
            updated_at=now,
            last_event_at=now,
            last_sequence=1,
        )
        for index, pk in enumerate(ids)
    ]
    Intent.objects.bulk_create(intents)
    Edge.objects.bulk_create(edge for intent in intents for edge in edges_of(intent))
    Event.objects.bulk_create(creation_of(intent, logged + index) for index, intent in enumerate(intents, start=1))
    return ids


def edges_of(intent: Intent) -> Iterator[Edge]:
    for pk in intent.depends_on:
        yield Edge(waiter=intent, awaited_id=pk, kind=EdgeKind.DEPENDENCY)
    if intent.parent_intent_id:
        yield Edge(waiter_id=intent.parent_intent_id, awaited=intent, kind=EdgeKind.CHILD)


def creation_of(intent: Intent, position: int) -> Event:
    told = ("title", "description", "status", "state", "constraints", "confidence", "depends_on", "version")
    payload = {name: getattr(intent, name) for name in told}
    parent = intent.parent_intent_id
    return Event(
        intent=intent,
        sequence=1,
        position=position,
        event_type="intent_created",
        actor=intent.created_by,
        payload={**payload, "parent_intent_id": str(parent) if parent else None},
        created_at=intent.created_at,
    )


def chain(number: int) -> list[UUID]:
    """Each depends on the one before it."""
    return seed(number, awaits=lambda index: [index - 1] if index else [])


def tree(number: int) -> list[UUID]:
    """Each has ten children."""
    return seed(number, parent=lambda index: (index - 1) // BRANCHES if index else None)


def status(api: Caller, intent_id: UUID, status: str, version: int, **fields: Any) -> Any:
    return api.post(f"/intents/{intent_id}/status", {"status": status, **fields}, version=version)


def walk(api: Caller, path: str) -> list[str]:
    """The ids on all pages of a list."""
    page = api.get(path, limit=1000).json()
    ids = [each["id"] for each in page["intents"]]
    while page["next"]:
        page = api.get(path, limit=1000, cursor=page["next"]).json()
        ids += [each["id"] for each in page["intents"]]
    return ids


# --- a chain -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("G-2")
def test_a_long_chain_completes_link_by_link(api):
    ids = chain(rounds(CHAIN, 200))

    for index, pk in enumerate(ids):
        assert status(api, pk, "completed", 2 if index else 1).json()["status"] == "completed"

    assert set(Intent.objects.values_list("status", flat=True)) == {"completed"}
    assert list(verify()) == []


@pytest.mark.rule("G-1")
def test_a_cycle_at_the_far_end_of_a_long_chain_is_refused_with_its_path(api):
    ids = chain(CHAIN)

    answer = api.post(f"/intents/{ids[0]}/dependencies", {"depends_on": str(ids[-1])}, version=1)

    assert (answer.status_code, answer.json()["code"]) == (400, "dependency_cycle")
    assert answer.json()["cycle"] == [str(pk) for pk in [ids[0], *reversed(ids)]]
    assert list(verify()) == []


@pytest.mark.rule("G-1")
def test_a_path_through_many_diamonds_is_found(api):
    """Rows of two, each waiting for both of the row before: 2 to the 150th ways."""
    ids = seed(300, awaits=lambda index: [] if index < 2 else [index // 2 * 2 - 2, index // 2 * 2 - 1])

    answer = api.post(f"/intents/{ids[0]}/dependencies", {"depends_on": str(ids[-1])}, version=1)

    assert answer.json()["code"] == "dependency_cycle"
    assert len(answer.json()["cycle"]) == 151
    assert len(api.get(f"/intents/{ids[-1]}/graph").json()["nodes"]) == 299


@pytest.mark.rule("G-1", "G-3")
def test_as_many_dependencies_as_a_request_may_name_are_added_at_once(api):
    *others, waiter = seed(1001)

    answer = api.post(f"/intents/{waiter}/dependencies", {"depends_on": [str(pk) for pk in others]}, version=1)

    assert (answer.status_code, answer.json()["version"]) == (201, 2)
    assert walk(api, f"/intents/{waiter}/dependencies") == [str(pk) for pk in others]
    assert list(verify()) == []


# --- a tree --------------------------------------------------------------------------------------------------------


def test_a_large_tree_is_read_in_full(api):
    ids = tree(TREE)
    root, below = ids[0], [str(pk) for pk in ids[1:]]

    assert walk(api, f"/intents/{root}/descendants") == below
    graph = api.get(f"/intents/{root}/graph").json()
    assert {node["id"] for node in graph["nodes"]} == {str(root), *below}
    assert {edge["to"] for edge in graph["edges"]} == set(below)
    assert graph["aggregate_status"]["by_status"]["draft"] == TREE
    assert walk(api, f"/intents/{ids[-1]}/ancestors") == [str(ids[each]) for each in (999, 99, 9, 0)]


@pytest.mark.rule("G-5")
def test_a_large_tree_is_abandoned_as_one(api):
    root = tree(rounds(TREE, 1_000))[0]

    assert status(api, root, "abandoned", 1, cascade=True).status_code == 200

    assert set(Intent.objects.values_list("status", "version")) == {("abandoned", 2)}
    assert list(verify()) == []


# --- queries -------------------------------------------------------------------------------------------------------


def family(number: int) -> list[UUID]:
    """A line of intents, of which each is the child of the one before, and depends on a sibling that all share."""
    return seed(
        number * 2,
        parent=lambda index: None if index == 0 else 0 if index % 2 else index - 2,
        awaits=lambda index: [] if index == 0 or index % 2 else [index - 1],
    )


def star(number: int) -> list[UUID]:
    """A parent of many, of whom each depends on all that came shortly before."""
    return seed(
        number + 1,
        parent=lambda index: 0 if index else None,
        awaits=lambda index: list(range(max(1, index - 5), index)),
    )


READS = {
    "children": (star, 0),
    "descendants": (family, 0),
    "ancestors": (family, -2),
    "dependencies": (star, -1),
    "dependents": (star, 1),
    "ready": (star, 0),
    "blocked": (star, 0),
    "graph": (family, 0),
    "agents": (star, 0),
    "events": (star, 0),
}


def queries_of(api: Caller, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert api.get(path).status_code == 200
    return len([each for each in captured if "SAVEPOINT" not in each["sql"]])


@pytest.mark.parametrize("read", READS)
def test_a_read_of_the_graph_costs_as_many_queries_whatever_its_size(api, read):
    make, place = READS[read]
    small, large = make(3), make(300)

    counted = [queries_of(api, f"/intents/{ids[place]}/{read}") for ids in (small, large)]

    assert counted[0] == counted[1] <= 5
