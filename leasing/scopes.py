"""Scopes: which part of an intent a lease is about. Dots separate levels, and a scope contains what lies below it."""

from collections.abc import Iterable, Sequence

from core.api.fields import VISIBLE

MAX_LENGTH = 200
PATTERN = rf"\A[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*(\.[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*)*\Z"
MESSAGE = "cannot have an empty level between its dots"


def split_levels(scope: str) -> list[str]:
    return scope.split(".")


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one contains the other: `content` and `content.draft` overlap, `content` and `contents` do not (rule L-1)."""
    return all(mine == theirs for mine, theirs in zip(one, other, strict=False))


class ScopeIndex:
    """Many scopes, to be asked about one path after the other without comparing each with each."""

    def __init__(self, scopes: Iterable[Sequence[str]]) -> None:
        self._exactly: set[tuple[str, ...]] = set()
        self._above: set[tuple[str, ...]] = set()
        for scope in map(tuple, scopes):
            self._exactly.add(scope)
            self._above.update(scope[:length] for length in range(len(scope)))

    def overlap(self, path: Sequence[str]) -> bool:
        """Return whether one of the scopes contains the path, or lies below it."""
        keys = tuple(path)
        return keys in self._above or any(keys[:length] in self._exactly for length in range(1, len(keys) + 1))
