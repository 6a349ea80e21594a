"""Graph of a plan: cycles and the order of creation. Pure, and without recursion: a plan may be one long chain."""

from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter
from uuid import UUID

from plans.plan import Links, Node


def find_cycle(links: Sequence[Links], existing: Collection[tuple[UUID, UUID]]) -> list[Node] | None:
    """Return a path of intents that would wait for each other, or None.

    A parent waits for its children (rule G-1). `existing` are edges among existing intents, as (waiter, awaited).
    """
    sorter = TopologicalSorter[Node]({index: each.depends_on for index, each in enumerate(links)})
    for index, each in enumerate(links):
        if each.parent is not None:
            sorter.add(each.parent, index)
    for waiter, awaited in existing:
        sorter.add(waiter, awaited)
    try:
        sorter.prepare()
    except CycleError as error:
        path: list[Node] = error.args[1]
        return path[::-1]  # It begins with what is awaited.
    return None


def creation_order(links: Sequence[Links]) -> list[int]:
    """Return the indexes so that each follows its parent and its dependencies, otherwise as they are.

    A parent may depend on its own descendant, which then comes first.
    """
    order: list[int] = []
    entered: set[int] = set()
    done: set[int] = set()
    pending = [*range(len(links))][::-1]
    while pending:
        index = pending[-1]
        if index not in entered:
            entered.add(index)
            pending += [node for node in links[index].nodes[::-1] if isinstance(node, int) and node not in entered]
            continue
        pending.pop()
        if index not in done:
            done.add(index)
            order.append(index)
    return order
