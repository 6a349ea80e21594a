"""Scopes: the part of an intent that a lease covers. Dots separate levels, and a scope contains those below it."""

from collections.abc import Iterable, Sequence

from core.api.fields import VISIBLE

MAX_LENGTH = 200
PATTERN = rf"\A[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*(\.[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*)*\Z"
MESSAGE = "cannot have an empty level between its dots"


def split_levels(scope: str) -> list[str]:
    return scope.split(".")


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether one contains the other: `content` and `content.draft` overlap, `content` and `contents` do not (rule L-1)."""
    return all(level == other_level for level, other_level in zip(one, other, strict=False))


class ScopeIndex:
    """A set of scopes in which those that overlap a path are found without comparing each."""

    def __init__(self, scopes: Iterable[Sequence[str]]) -> None:
        self._scopes: set[tuple[str, ...]] = set()
        self._prefixes: set[tuple[str, ...]] = set()
        for scope in map(tuple, scopes):
            self._scopes.add(scope)
            self._prefixes.update(scope[:length] for length in range(len(scope)))

    def overlap(self, path: Sequence[str]) -> bool:
        """Return whether one of the scopes contains the path, or is below it."""
        keys = tuple(path)
        return keys in self._prefixes or any(keys[:length] in self._scopes for length in range(1, len(keys) + 1))
