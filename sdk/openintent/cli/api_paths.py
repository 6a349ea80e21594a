"""Paths of the API: completion in the shell, and the nearest one to a path that is none."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from .._operations import OPERATIONS

ROOT = "/api/v1/"
_PATHS = sorted({path.removeprefix(ROOT) for _, path in OPERATIONS.values()})
_ID = re.compile(r"(?<=/)[^/]*\d[^/]*")


def complete_path(incomplete: str) -> list[str]:
    """Return how a path that is being written may go on, up to the next slash. Ids are left to the user."""
    *given, begun = incomplete.split("/")
    return sorted({"/".join([*given, step]) for step in _next_steps(given) if step.startswith(begun)})


def nearest_path(path: str) -> str | None:
    """Return the path of the API that is most like this one."""
    near = get_close_matches(_ID.sub("{id}", path.partition("?")[0].removeprefix(ROOT)), _PATHS, n=1, cutoff=0.5)
    return near[0] if near else None


def _next_steps(given: list[str]) -> Iterator[str]:
    for path in _PATHS:
        steps = path.split("/")
        if len(steps) > len(given) and all(one == other or one.startswith("{") for one, other in zip(steps, given, strict=False)):
            step = steps[len(given)]
            if not step.startswith("{"):
                yield step
