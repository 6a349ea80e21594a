"""Differences between two states."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """A change at a path of the state, written with dots. ABSENT: there was, or is, no value."""

    path: str
    before: Any
    after: Any

    @property
    def kind(self) -> str:
        if self.before is ABSENT:
            return "added"
        return "removed" if self.after is ABSENT else "changed"


def diff_states(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Yield the smallest parts that differ. Members of lists are compared by index."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from diff_states(before.get(key, ABSENT), after.get(key, ABSENT), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            yield from diff_states(_at(before, place), _at(after, place), f"{path}[{place}]")
    elif type(before) is not type(after) or before != after:  # 1 and true are equal to Python.
        yield Change(path, before, after)


def _at(members: list[Any], place: int) -> Any:
    return members[place] if place < len(members) else ABSENT
