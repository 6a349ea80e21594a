"""Scopes: the part of an intent that a lease covers, and all below it.

Dots separate the levels of `content.draft`, slashes those of `file:src/app.py` (rule L-7).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from core.api.fields import VISIBLE

MAX_LENGTH = 200
FILE = "file:"
MAX_PATH = 512
MAX_SCOPE = len(FILE) + MAX_PATH
PATTERN = rf"\A[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*(\.[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*)*\Z"
MESSAGE = "cannot have an empty level between its dots"


_NOT_IN_PATHS = re.compile(r"[\\\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")


def is_file(scope: str) -> bool:
    return scope.startswith(FILE)


def split_levels(scope: str) -> list[str]:
    return scope.split("/" if is_file(scope) else ".")


def find_error(scope: str) -> str | None:
    """Return what is wrong with the text of a scope (rule L-7), None if nothing is."""
    if not is_file(scope):
        if len(scope) > MAX_LENGTH:
            return f"is longer than {MAX_LENGTH} characters"
        return None if re.match(PATTERN, scope) else MESSAGE
    path = scope.removeprefix(FILE)
    if len(path) > MAX_PATH:
        return f"has a path of more than {MAX_PATH} characters"
    if any(level in ("", ".", "..") for level in path.split("/")) or _DRIVE.match(path):
        return "must have a relative path without empty levels, '.' and '..'"
    if _NOT_IN_PATHS.search(path):
        return "cannot have a backslash or control characters in its path"
    return None if unicodedata.is_normalized("NFC", path) else "must have its path in Unicode's normal form C"


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

    def __contains__(self, path: Sequence[str]) -> bool:
        return tuple(path) in self._scopes

    def overlap(self, path: Sequence[str]) -> bool:
        """Return whether one of the scopes contains the path, or is below it."""
        keys = tuple(path)
        return keys in self._prefixes or any(keys[:length] in self._scopes for length in range(1, len(keys) + 1))
