"""Tree of an intent: all that it awaits, each intent once, below its parent or else below the first intent that depends on it.

It is read whole, with three queries whatever its size, and shown in parts: deeper branches are loaded when they are opened (D-290).
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models.functions import Left

from core.ids import as_uuid
from governance.models import Arbitration
from intents import graph
from intents.models import FINAL, EdgeKind, Status

MAX_ROWS = 200
MAX_OPEN = 1_000  # Rows where everything is to be open.
MAX_DEPTH = 12  # Levels of one response; each is a list within a list.
MAX_FOUND = 200  # Rows of a search.
NAMED = 3  # Dependencies, agents and dependents of a row.
MAX_REASON = 200  # Characters of a question.
PACE, LARGE, PACE_OF_LARGE = 2, 2_000, 10  # Seconds for trees of up to LARGE intents, and for larger ones.

_COUNTED = (Status.COMPLETED, Status.ACTIVE, Status.PENDING, Status.DRAFT, Status.ABANDONED)


class Question(NamedTuple):
    id: UUID
    intent_id: UUID
    reason: str
    blocking: bool
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of some values, and how many more there are."""

    shown: list[Any] = field(default_factory=list)
    more: int = 0

    @classmethod
    def all(cls, found: Sequence[Any]) -> "FirstOf":
        return cls([*found[:NAMED]], max(0, len(found) - NAMED))


@dataclass(slots=True)
class TreeRow:
    """An intent of the tree, with its children as far as they are shown: `later` of them are not, from the number `next` on."""

    id: UUID
    title: str
    status: str
    agents: FirstOf
    depends_on: FirstOf
    is_dependency: bool
    is_on_hold: bool
    question: Question | None
    questions: int
    below: int
    counts: str
    rows: "list[TreeRow]" = field(default_factory=list)
    later: int = 0
    next: int = 0
    path: list[str] = field(default_factory=list)


class IntentTree:
    """The tree, with its intents numbered so that a branch is a range: an intent, then all below it."""

    def __init__(self, found: graph.Graph, questions: Iterable[Question]) -> None:
        nodes = {as_uuid(node.id): node for node in found.nodes}
        between = [(as_uuid(edge.waiter_id), as_uuid(edge.awaited_id), edge.kind) for edge in found.edges]
        edges = [each for each in between if each[0] in nodes and each[1] in nodes]  # They are read one after the other.
        parents = {awaited: waiter for waiter, awaited, kind in edges if kind == EdgeKind.CHILD}
        adopted = {awaited: waiter for waiter, awaited, _ in reversed(edges) if awaited not in parents}
        children: dict[UUID, list[UUID]] = defaultdict(list)
        for pk in nodes:
            if pk != found.root and (above := parents.get(pk) or adopted.get(pk)):
                children[above].append(pk)
        self.ids, self._ends = _walk(found.root, children)
        self._numbers = {pk: number for number, pk in enumerate(self.ids)}
        self.nodes = [nodes[pk] for pk in self.ids]
        self.statuses = [node.status for node in self.nodes]
        self.children = [[self._numbers[child] for child in children[pk]] for pk in self.ids]
        self._parents = {child: number for number, those in enumerate(self.children) for child in those}
        self._adopted = {self._numbers[pk] for pk in adopted if pk in self._numbers}
        self.awaits: dict[int, list[int]] = defaultdict(list)
        """The dependencies of each open intent that are not completed."""
        for waiter, awaited, kind in edges:
            if kind == EdgeKind.DEPENDENCY and nodes[awaited].status != Status.COMPLETED and nodes[waiter].status not in FINAL:
                self.awaits[self._numbers[waiter]].append(self._numbers[awaited])
        self.questions: dict[int, list[Question]] = defaultdict(list)
        for question in questions:
            if (asked := self._numbers.get(question.intent_id)) is not None:
                self.questions[asked].append(question)
        self.blocked = [number for number, status in enumerate(self.statuses) if status == Status.BLOCKED]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def pace(self) -> int:
        """Seconds between two looks at it, since it is read whole each time."""
        return PACE if len(self) <= LARGE else PACE_OF_LARGE

    def number_of(self, pk: UUID | None) -> int | None:
        return self._numbers.get(pk) if pk else None

    def branch(self, number: int, *, after: int = 0, most: int = MAX_ROWS, is_partial: bool = False) -> TreeRow:
        """Return an intent's row with those below it: its children from the number `after` on, then level by level.

        There are `most` rows in all. A level that does not fit stays closed; with `is_partial`, its first branches are open.
        """
        top = self.row(number)
        shown = self.children[number][after : after + most]
        top.rows = [self.row(child) for child in shown]
        top.next = after + len(shown)
        top.later = len(self.children[number]) - top.next
        left, level = most - len(shown), [*zip(shown, top.rows, strict=True)]
        for _ in range(1, MAX_DEPTH):
            if not is_partial and sum(len(self.children[each]) for each, _ in level) > left:
                break
            below: list[tuple[int, TreeRow]] = []
            for each, row in level:
                if len(self.children[each]) <= left:
                    row.rows = [self.row(child) for child in self.children[each]]
                    left -= len(row.rows)
                    below += zip(self.children[each], row.rows, strict=True)
            level = below
        return top

    def row(self, number: int) -> TreeRow:
        questions, awaited = self.questions.get(number, []), self.awaits.get(number, [])
        below = self._ends[number] - number - 1
        return TreeRow(
            id=self.ids[number],
            title=self.nodes[number].title,
            status=self.statuses[number],
            agents=FirstOf.all(self._agents(number)),
            depends_on=self.name(awaited),
            is_dependency=number in self._adopted,
            is_on_hold=self.statuses[number] == Status.BLOCKED and not awaited and not any(each.blocking for each in questions),
            question=questions[0] if questions else None,
            questions=len(questions),
            below=below,
            counts=self.count(number + 1, self._ends[number]) if below else "",
        )

    def name(self, numbers: Sequence[int]) -> FirstOf:
        return FirstOf.all([(self.ids[each], self.nodes[each].title) for each in numbers])

    def count(self, first: int = 0, end: int | None = None) -> str:
        """Return `12 completed, 3 blocked by 2 intents and 1 decision` for a range of intents."""
        end = len(self) if end is None else end
        counts = Counter(self.statuses[first:end])
        texts = [f"{counts[each]:,} {each}" for each in _COUNTED if counts[each]]
        if counts[Status.BLOCKED]:
            blocked = self.blocked[bisect_left(self.blocked, first) : bisect_left(self.blocked, end)]
            intents = {awaited for each in blocked for awaited in self.awaits.get(each, ())}
            decisions = sum(question.blocking for each in blocked for question in self.questions.get(each, ()))
            causes = [_count_nouns(len(intents), "intent"), _count_nouns(decisions, "decision")]
            by = " and ".join(each for each in causes if each)
            texts.append(f"{counts[Status.BLOCKED]:,} blocked" + (f" by {by}" if by else ""))
        return ", ".join(texts)

    def search(self, words: str) -> tuple[list[TreeRow], int]:
        """Return the first intents with these words in their title, an agent's name or at the beginning of their id, and the number of all."""
        wanted = words.casefold()
        found = [number for number in range(len(self)) if self._has(number, wanted)]
        return [self.row_with_path(number) for number in found[:MAX_FOUND]], len(found)

    def _has(self, number: int, wanted: str) -> bool:
        return (
            wanted in self.nodes[number].title.casefold()
            or str(self.ids[number]).startswith(wanted)
            or any(wanted in agent.casefold() for agent in self._agents(number))
        )

    def _agents(self, number: int) -> list[str]:
        agents = self.nodes[number].agents
        if agents == "[]":
            return []
        return [each["agent_id"] for each in (orjson.loads(agents) if isinstance(agents, str) else agents)]

    def row_with_path(self, number: int) -> TreeRow:
        """Return the row with the titles of the intents above it."""
        row, above = self.row(number), self._parents.get(number)
        while above is not None and len(row.path) < MAX_DEPTH:
            row.path.insert(0, self.nodes[above].title)
            above = self._parents.get(above)
        return row


def load_tree(intent_id: UUID) -> IntentTree:
    """Read the tree: its intents, its edges, and their pending questions."""
    pending = Arbitration.objects.pending().filter(intent_id__in=graph.awaited_ids(intent_id)).order_by("-blocking", "pk")
    found = pending.values_list("pk", "intent_id", Left("reason", MAX_REASON), "blocking", "expires_at")
    return IntentTree(graph.reachable(intent_id), map(Question._make, found))


def _walk(root: UUID, children: dict[UUID, list[UUID]]) -> tuple[list[UUID], list[int]]:
    """Return the intents, each before those below it, and where each one's branch ends. Chains may be longer than Python's stack."""
    ids, ends, stack = [root], [0], [(0, iter(children[root]))]
    while stack:
        number, following = stack[-1]
        child = next(following, None)
        if child is None:
            ends[number] = len(ids)
            stack.pop()
        else:
            stack.append((len(ids), iter(children[child])))
            ids.append(child)
            ends.append(0)
    return ids, ends


def _count_nouns(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else ""
