"""Bars that are drawn as SVG by the server: their lengths are numbers, and never text that somebody wrote."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar of length 100: what it stands for, how many, where it begins and how long it is."""

    name: str
    count: int
    start: float
    length: float

    @classmethod
    def row(cls, counts: Iterable[tuple[str, int]], total: int) -> "list[Part]":
        """The pieces one after the other; those of nothing are left out."""
        parts, start = [], 0.0
        for name, count in counts:
            if count:
                length = 100 * count / total
                parts.append(cls(name, count, round(start, 3), round(length, 3)))
                start += length
        return parts


def share(amount: int, most: int) -> float:
    """The length of a bar whose longest neighbour, `most`, has 100; what is there at all can be seen."""
    return max(round(100 * amount / most, 2), 0.5) if amount and most else 0.0
