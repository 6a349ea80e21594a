"""Forks: a child process shares the memory of its parent, but must not share its connections and locks (protocol K-9)."""

import os
from typing import Any, Protocol
from weakref import WeakSet


class Resettable(Protocol):
    """An object with connections or locks of its process."""

    def reset_after_fork(self) -> None:
        """Replace them, in a child process. What the parent still uses is left alone."""


_objects: WeakSet[Any] = WeakSet()


def reset_in_children(each: Resettable) -> None:
    """Reset an object in every process that is forked from this one."""
    _objects.add(each)


def _reset_all() -> None:
    for each in list(_objects):
        each.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
