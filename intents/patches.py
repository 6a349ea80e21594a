"""Patches of an intent's state (rule I-3): pure, so that a replay of the log does exactly what the verb did."""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from core.strict_json import MAX_DEPTH, depth
from intents.errors import InvalidPatch

Patch = dict[str, Any]

OPERATIONS = ("set", "append", "remove")
_INDEX = re.compile(r"0|[1-9]\d{0,8}")


def apply_patches(state: dict[str, Any], patches: Sequence[Patch]) -> None:
    """Apply all patches to `state`, in order. Where one fails, `state` is of no use any more.

    A patch is `{"op": "set" | "append" | "remove", "path": …, "value": …}`. `path` is a plain key or, with a leading
    `/`, a JSON Pointer (RFC 6901). Objects that a `set` or `append` passes through are made; everything else must be there.

    Raises InvalidPatch with the index of the first patch that fails.
    """
    for index, patch in enumerate(patches):
        _apply_patch(state, index, patch)


def path_keys(path: str) -> list[str]:
    """The keys that a path leads through. A plain key is its own one-level path."""
    if not path.startswith("/"):
        return [path]
    return [key.replace("~1", "/").replace("~0", "~") for key in path[1:].split("/")]


def key_path(key: str) -> str:
    """The path of a top-level key, also of one that looks like a JSON Pointer."""
    return "/" + key.replace("~", "~0").replace("/", "~1") if key.startswith("/") else key


def _apply_patch(state: dict[str, Any], index: int, patch: Patch) -> None:
    operation, path = patch["op"], patch["path"]
    if re.search(r"~(?![01])", path) and path.startswith("/"):
        raise InvalidPatch(index, f"{path!r} is no JSON Pointer: ~ stands only in ~0 and ~1.")
    keys = path_keys(path)
    if len(keys) + 1 + (depth(patch["value"]) if operation != "remove" else 0) > MAX_DEPTH:
        raise InvalidPatch(index, f"the state would be nested deeper than {MAX_DEPTH} levels.")
    container = _find_container(state, keys, index, path, make=operation != "remove")
    {"set": _set, "append": _append, "remove": _remove}[operation](container, keys[-1], patch, index)


def _find_container(state: Any, keys: list[str], index: int, path: str, *, make: bool) -> Any:
    here = state
    for key in keys[:-1]:
        if isinstance(here, dict):
            if key not in here and not make:
                raise InvalidPatch(index, f"nothing is at {path!r}.")
            here = here.setdefault(key, {})
        elif isinstance(here, list):
            here = here[_list_index(here, key, index, path)]
        else:
            raise InvalidPatch(index, f"{path!r} leads through a value that is neither an object nor a list.")
    if not isinstance(here, dict | list):
        raise InvalidPatch(index, f"{path!r} leads through a value that is neither an object nor a list.")
    return here


def _list_index(items: list[Any], key: str, index: int, path: str) -> int:
    if not _INDEX.fullmatch(key) or int(key) >= len(items):
        raise InvalidPatch(index, f"{path!r} names no element of a list of {len(items)}.")
    return int(key)


def _set(container: Any, key: str, patch: Patch, index: int) -> None:
    if isinstance(container, dict):
        container[key] = deepcopy(patch["value"])  # A later patch may reach into it; the log keeps the patch as it was.
    elif key == "-":
        container.append(deepcopy(patch["value"]))
    else:
        container[_list_index(container, key, index, patch["path"])] = deepcopy(patch["value"])


def _append(container: Any, key: str, patch: Patch, index: int) -> None:
    if isinstance(container, dict):
        target = container.setdefault(key, [])
    else:
        target = container[_list_index(container, key, index, patch["path"])]
    if not isinstance(target, list):
        raise InvalidPatch(index, f"{patch['path']!r} is not a list.")
    target.append(deepcopy(patch["value"]))


def _remove(container: Any, key: str, patch: Patch, index: int) -> None:
    if isinstance(container, list):
        del container[_list_index(container, key, index, patch["path"])]
    elif key in container:
        del container[key]
    else:
        raise InvalidPatch(index, f"nothing is at {patch['path']!r}.")
