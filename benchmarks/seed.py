"""Rows in bulk, as the verbs would have left them: each log, replayed, gives its intent's row (rule E-6)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isqrt
from typing import Any
from uuid import UUID

import orjson

from benchmarks import sql
from benchmarks.operations import EVENT, INTENT, STATE
from core.ids import new_id

AGENTS = [f"agent-{number:02}" for number in range(50)]
STATUSES = ("completed", "active", "completed", "draft", "completed", "active", "completed", "pending", "blocked", "abandoned")
AGE = timedelta(days=90)
STEP = timedelta(seconds=7)  # From one event to the next: a million of them take 81 days.
COST_PARTS = 31_500_000_000  # Trillionths of a dollar: 3.15 cents.
BLOCK = 1_000  # Intents that live at the same time: their events lie among each other's.


@dataclass(slots=True)
class Goal:
    """An intent on its way into the database."""

    number: int
    created_at: datetime
    status: str = "draft"
    parent: UUID | None = None
    depends_on: list[str] = field(default_factory=list)
    id: UUID = field(default_factory=new_id)
    state: dict[str, Any] = field(default_factory=STATE.copy)
    version: int = 1
    sequence: int = 0
    title: str = field(init=False)
    created_by: str = field(init=False)
    updated_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.title = f"{INTENT['title']}, part {self.number}"
        self.created_by = AGENTS[self.number % len(AGENTS)]
        self.updated_at = self.created_at

    def as_created(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "description": None,
            "status": self.status,
            "state": self.state,
            "constraints": {},
            "confidence": None,
            "parent_intent_id": str(self.parent) if self.parent else None,
            "depends_on": self.depends_on,
            "version": 1,
        }


class Seeder:
    """Fills an empty database."""

    def __init__(self, url: str) -> None:
        self.database = sql.connect(url)
        self.now = datetime.now(UTC) - AGE
        self.position = 0
        self._events: list[Sequence[Any]] = []

    def __enter__(self) -> "Seeder":
        return self

    def __exit__(self, *_: object) -> None:
        self.database.settle()
        self.database.close()

    def intents(self, count: int, *, events_each: int) -> list[str]:
        """Intents of every status, each with its log. Answers their ids."""
        ids: list[str] = []
        for start in range(0, count, BLOCK):
            goals = [self._create(number) for number in range(start, min(start + BLOCK, count))]
            for number in range(2, events_each):
                for goal in goals:
                    self._work_on(goal, number)
            for goal in goals:
                self._set_status(goal, STATUSES[goal.number % len(STATUSES)])
            self._write(goals)
            ids += [str(goal.id) for goal in goals]
        return ids

    def tree(self, size: int) -> str:
        """A tree three levels deep or four; every third intent depends on its elder sibling. Answers the root's id."""
        fan_out = isqrt(size)
        goals: list[Goal] = []
        for number in range(size):
            parent = goals[(number - 1) // fan_out] if number else None
            elder = goals[-1] if parent and number % 3 == 0 and goals[-1].parent == parent.id else None
            goals.append(self._create(number, parent=parent, depends_on=elder))
            is_leaf = number * fan_out + 1 >= size
            if is_leaf and number % 6 == 2:
                self._set_status(goals[-1], "completed")
        self._write(goals)
        return str(goals[0].id)

    def costs(self, count: int) -> str:
        """An intent on which so much was spent: by every agent, for five kinds of things. Answers its id."""
        goal = self._create(0)
        self._write([goal])
        key, at, spent = self.database.key, self.database.instant(self.now), Counter[tuple[str, ...]]()
        rows = []
        for number in range(count):
            kind = (f"kind-{number % 5}", AGENTS[number % len(AGENTS)], f"provider-{number % 3}", f"model-{number % 7}")
            spent[kind] += 1
            cost_type, agent, provider, model = kind
            rows.append(
                (key(new_id()), key(goal.id), agent, cost_type, 0, COST_PARTS, "USD", provider, model, "{}", at)
            )  # fmt: skip
        self.database.insert("costs_cost", sql.COST, rows)
        sums = [(key(goal.id), "USD", *kind, 0, times * COST_PARTS, times) for kind, times in spent.items()]
        self.database.insert("costs_spending", sql.SPENDING, sums)
        return str(goal.id)

    def portfolio(self, size: int) -> str:
        """A portfolio of so many intents. Answers its id."""
        pk, members = new_id(), self.intents(size, events_each=2)
        key, at = self.database.key, self.database.instant(self.now)
        row = (key(pk), "The third quarter", None, "active", "{}", "{}", 1, AGENTS[0], AGENTS[0], at, at)
        self.database.insert("portfolios_portfolio", sql.PORTFOLIO, [row])
        rows = [
            (key(pk), key(UUID(member)), "member", number % 10, AGENTS[0], AGENTS[0], "operator", at)
            for number, member in enumerate(members)
        ]
        self.database.insert("portfolios_member", sql.MEMBER, rows)
        return str(pk)

    def _create(self, number: int, *, parent: Goal | None = None, depends_on: Goal | None = None) -> Goal:
        goal = Goal(number, self.now, parent=parent.id if parent else None)
        if depends_on:
            goal.depends_on = [str(depends_on.id)]
            goal.status = "pending" if depends_on.status == "completed" else "blocked"
        self._log(goal, "intent_created", goal.as_created())
        return goal

    def _work_on(self, goal: Goal, number: int) -> None:
        if number % 4:
            self._log(goal, str(EVENT["event_type"]), EVENT["payload"])
            return
        goal.version += 1
        goal.updated_at = self.now
        goal.state["progress"] = number
        patch = {"op": "set", "path": "progress", "value": number}
        self._log(goal, "state_patched", {"patches": [patch], "version": goal.version})

    def _set_status(self, goal: Goal, status: str) -> None:
        if goal.status == status:
            return self._log(goal, "comment", {"text": "It stays as it is."})
        goal.version += 1
        goal.updated_at = self.now
        payload = {"from": goal.status, "to": status, "version": goal.version, "reason": None}
        goal.status = status
        self._log(goal, "status_changed", payload)

    def _log(self, goal: Goal, event_type: str, payload: Any) -> None:
        self.now += STEP
        self.position += 1
        goal.sequence += 1
        key, at = self.database.key, self.database.instant(self.now)
        self._events.append(
            (
                key(new_id()), key(goal.id), None, goal.sequence, self.position, event_type, goal.created_by, None,
                orjson.dumps(payload).decode(), None, None, at,
            )
        )  # fmt: skip

    def _write(self, goals: Sequence[Goal]) -> None:
        self.database.insert("intents_intent", sql.INTENT, map(self._row, goals))
        self.database.insert("intents_edge", sql.EDGE, self._edges(goals))
        self.database.insert("intents_event", sql.EVENT, self._events)
        self._events = []

    def _row(self, goal: Goal) -> Sequence[Any]:
        key, instant = self.database.key, self.database.instant
        return (
            key(goal.id), goal.title, None, goal.status, orjson.dumps(goal.state).decode(), "{}", None, goal.version,
            goal.parent and key(goal.parent), orjson.dumps(goal.depends_on).decode(), "[]", goal.created_by,
            instant(goal.created_at), instant(goal.updated_at), goal.sequence, instant(self.now), False, 0, 0,
        )  # fmt: skip

    def _edges(self, goals: Sequence[Goal]) -> list[tuple[Any, ...]]:
        key = self.database.key
        children = [(key(goal.parent), key(goal.id), "child") for goal in goals if goal.parent]
        dependencies = [(key(goal.id), key(UUID(pk)), "dependency") for goal in goals for pk in goal.depends_on]
        return children + dependencies
