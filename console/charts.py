"""Bar charts, drawn as SVG by the server from numbers alone."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of a bar of length 100, with its label and count."""

    name: str
    count: int
    start: float
    length: float

    @classmethod
    def stack(cls, counts: Iterable[tuple[str, int]], total: int) -> "list[Segment]":
        """Return the segments one after the other, without empty ones."""
        parts, start = [], 0.0
        for name, count in counts:
            if count:
                length = 100 * count / total
                parts.append(cls(name, count, round(start, 3), round(length, 3)))
                start += length
        return parts


def bar_length(amount: int, most: int) -> float:
    """Return the length of a bar whose longest neighbor `most` has 100; at least 0.5 for any amount."""
    return max(round(100 * amount / most, 2), 0.5) if amount and most else 0.0
