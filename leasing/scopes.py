"""Scopes: which part of an intent a lease is about. Dots separate levels, and a scope contains what lies below it."""

from collections.abc import Sequence

from config.fields import VISIBLE

MAX_LENGTH = 200
PATTERN = rf"\A[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*(\.[^.]*{VISIBLE.replace('[^', '[^.')}[^.]*)*\Z"
LOOKS = "cannot have an empty level between its dots"


def levels(scope: str) -> list[str]:
    return scope.split(".")


def overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one contains the other: `content` and `content.draft` overlap, `content` and `contents` do not (rule L-1)."""
    return all(mine == theirs for mine, theirs in zip(one, other, strict=False))
