"""Blockers of a tree of intents: what holds others up, and the longest chain to the completion of its root."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson
from django.db.models.functions import Left

from console.intents.tree import FirstOf, IntentTree, TreeRow
from intents.models import FINAL, Intent

MAX_SHOWN = 200
MAX_CONSTRAINTS = 10_000  # Characters: larger ones are not searched for a deadline.
MAX_DEADLINE = 40


@dataclass(frozen=True, slots=True)
class Blocker:
    """An intent that holds up others: those that depend on it, and the number of all that do, directly or through others."""

    row: TreeRow
    holds_up: FirstOf
    held_up: int


def list_blockers(tree: IntentTree) -> tuple[list[Blocker], int]:
    """Return the intents that hold others up, and those that wait for a decision or a person, with the number of all.

    Those that wait for no intent themselves come first, then those that hold up most.
    """
    dependents: dict[int, list[int]] = defaultdict(list)
    for waiter, awaited in tree.awaits.items():
        for each in awaited:
            dependents[each].append(waiter)
    held = _count_held_up(dependents)
    causes = {number for number in tree.blocked if not tree.awaits.get(number)}
    found = sorted({*dependents, *causes}, key=lambda each: (bool(tree.awaits.get(each)), -held.get(each, 0), each))
    return [
        Blocker(tree.row_with_path(each), tree.name(sorted(dependents.get(each, []))), held.get(each, 0))
        for each in found[:MAX_SHOWN]
    ], len(found)


@dataclass(frozen=True, slots=True)
class Step:
    """An intent of a chain, with its deadlines: that of its first question, and `deadline` in its constraints."""

    row: TreeRow
    decision_by: datetime | None
    deadline: str


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The longest chain of open intents, of which each must complete before the next can; the last one is the root."""

    steps: list[Step] = field(default_factory=list)
    length: int = 0


def find_critical_path(tree: IntentTree) -> CriticalPath:
    """Return the chain with the most intents; of several, the one in which a question ends first."""
    if tree.statuses[0] in FINAL:
        return CriticalPath()

    def awaited(number: int) -> list[int]:
        return [each for each in (*tree.awaits.get(number, ()), *tree.children[number]) if tree.statuses[each] not in FINAL]

    best: dict[int, tuple[int, float]] = {}
    following: dict[int, int | None] = {}
    for number in _in_order([0], awaited):
        longest = max(awaited(number), key=lambda each: (*best[each], -each), default=None)
        length, urgency = best[longest] if longest is not None else (0, float("-inf"))
        ends = _first_end(tree, number)
        best[number] = (length + 1, max(urgency, -ends.timestamp()) if ends else urgency)
        following[number] = longest
    path, step = [], following[0]
    while step is not None:
        path.append(step)
        step = following[step]
    path = [*reversed(path), 0]
    shown = path[: MAX_SHOWN - 1] + path[max(MAX_SHOWN - 1, len(path) - 1) :]
    deadlines = _read_deadlines([tree.ids[each] for each in shown])
    return CriticalPath(
        [Step(tree.row(each), _first_end(tree, each), deadlines.get(tree.ids[each], "")) for each in shown], len(path)
    )


def _count_held_up(dependents: dict[int, list[int]]) -> dict[int, int]:
    """Return how many intents depend on each, directly or through others. Sets of intents are the bits of a number."""
    sets: dict[int, int] = {}
    for number in _in_order(dependents, lambda each: dependents.get(each, ())):
        sets[number] = 0
        for each in dependents.get(number, ()):
            sets[number] |= sets[each] | 1 << each
    return {number: sets[number].bit_count() for number in dependents}


def _in_order(starts: Iterable[int], before: Callable[[int], Sequence[int]]) -> list[int]:
    """Return the numbers that are reached from `starts`, each after those `before` it. There are no cycles (rule G-1)."""
    order: dict[int, None] = {}
    stack = [*starts]
    while stack:
        missing = [each for each in before(stack[-1]) if each not in order]
        if missing:
            stack += missing
        else:
            order[stack.pop()] = None
    return [*order]


def _first_end(tree: IntentTree, number: int) -> datetime | None:
    return min((each.expires_at for each in tree.questions.get(number, ()) if each.expires_at), default=None)


def _read_deadlines(ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return `deadline` of the constraints of these intents, which agents agree on among themselves, as text."""
    text = Left("constraints", MAX_CONSTRAINTS + 1)
    found = {}
    for pk, constraints in Intent.objects.filter(pk__in=ids).annotate(text=text).values_list("pk", "text"):
        if '"deadline"' in constraints and len(constraints) <= MAX_CONSTRAINTS:
            parsed = orjson.loads(constraints)
            deadline = parsed.get("deadline") if isinstance(parsed, dict) else None
            if isinstance(deadline, str):
                found[pk] = deadline[:MAX_DEADLINE]
    return found
