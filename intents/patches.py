"""Patches of an intent's state (rule I-3). Pure: a replay of the log does exactly what the verb did."""

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
    """Apply all patches to `state`, in order. If one fails, `state` is left half changed and must be discarded.

    A patch is `{"op": "set" | "append" | "remove", "path": …, "value": …}`. `path` is a plain key or, with a leading
    `/`, a JSON Pointer (RFC 6901). Missing objects on the path of a `set` or `append` are created; all else must exist.

    Raises InvalidPatch with the index of the first patch that fails.
    """
    for index, patch in enumerate(patches):
        operation, path = patch["op"], patch["path"]
        if re.search(r"~(?![01])", path) and path.startswith("/"):
            raise InvalidPatch(index, f"{path!r} is not a JSON Pointer: ~ is only valid in ~0 and ~1.")
        keys = path_keys(path)
        if len(keys) + 1 + (depth(patch["value"]) if operation != "remove" else 0) > MAX_DEPTH:
            raise InvalidPatch(index, f"the state would be nested deeper than {MAX_DEPTH} levels.")
        container = _find_container(state, keys, index, path, create=operation != "remove")
        {"set": _set, "append": _append, "remove": _remove}[operation](container, keys[-1], patch, index)


def path_keys(path: str) -> list[str]:
    """Return the keys of a path. A plain key is its own one-level path."""
    if not path.startswith("/"):
        return [path]
    return [key.replace("~1", "/").replace("~0", "~") for key in path[1:].split("/")]


def key_path(key: str) -> str:
    """Return the path of a top-level key, also of one that looks like a JSON Pointer."""
    return "/" + key.replace("~", "~0").replace("/", "~1") if key.startswith("/") else key


def _find_container(state: Any, keys: list[str], index: int, path: str, *, create: bool) -> Any:
    value = state
    for key in keys[:-1]:
        if isinstance(value, dict):
            if key not in value and not create:
                raise InvalidPatch(index, f"{path!r} does not exist.")
            value = value.setdefault(key, {})
        elif isinstance(value, list):
            value = value[_list_index(value, key, index, path)]
        else:
            raise InvalidPatch(index, f"{path!r} passes through a value that is neither an object nor a list.")
    if not isinstance(value, dict | list):
        raise InvalidPatch(index, f"{path!r} passes through a value that is neither an object nor a list.")
    return value


def _list_index(items: list[Any], key: str, index: int, path: str) -> int:
    if not _INDEX.fullmatch(key) or int(key) >= len(items):
        raise InvalidPatch(index, f"{path!r} is not an index of a list of {len(items)} elements.")
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
        raise InvalidPatch(index, f"{patch['path']!r} does not exist.")
