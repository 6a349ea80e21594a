"""Results of tools, within their limit (rule M-7)."""

import json
from typing import Any

MAX_RESULT = 256 * 2**10
"""Bytes of a result, its two forms together."""
REST = "rest"


def problem_text(problem: dict[str, Any]) -> str:
    """Return the text of a refusal: the problem document, without tokens."""
    held = problem.get("existing_lease")
    if isinstance(held, dict):
        problem = {**problem, "existing_lease": without_token(held)}
    text = json.dumps(problem, ensure_ascii=False)
    return text if _size(text) <= MAX_RESULT // 2 else json.dumps({name: problem[name] for name in ("status", "code", "detail")})


def without_token(lease: dict[str, Any]) -> dict[str, Any]:
    """Return a lease as a model sees it: its token is the door's (rule M-3)."""
    return {name: value for name, value in lease.items() if name != "fencing_token"}


def bounded(result: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Return the result within the limit: of a list its first items, else without its largest members; `rest` says where the rest is."""
    if _fits({**result, REST: ""}):
        return result
    for name, items in result.items():
        if isinstance(items, list) and items:
            shown = _first_that_fit(result, name, pointer)
            kept = items[:shown] or [_reduced(items[0], pointer)]
            return _resumable({**result, name: kept, REST: _about(name, len(kept), len(items), pointer)})
    return _reduced(result, pointer)


def _resumable(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result with the `next_after` of the last event that is shown."""
    if "next_after" not in result:
        return result
    return {**result, "next_after": result["events"][-1][result["order"]], "more": True}


def _first_that_fit(result: dict[str, Any], name: str, pointer: str) -> int:
    """Return how many of the first items fit."""
    items = result[name]
    room = MAX_RESULT - _bytes({**result, name: [], REST: _about(name, len(items), len(items), pointer)})
    for number, item in enumerate(items):
        room -= _bytes(item) + 4  # Its separators.
        if room < 0:
            return number
    return len(items)


def _about(name: str, shown: int, count: int, pointer: str) -> str:
    return f"The first {shown} of {count} {name} are shown. Ask for fewer with limit, or read {pointer}"


def _reduced(value: Any, pointer: str) -> Any:
    """Return an object without its largest members, so that it fits."""
    if not isinstance(value, dict):
        return value
    kept, left_out = dict(value), []
    while not _fits({**kept, REST: ""}) and kept:
        largest = max(kept, key=lambda name: _size(json.dumps(kept[name])))
        left_out.append(largest)
        empty: dict[type, Any] = {dict: {}, list: [], str: ""}
        if kept[largest] == empty.get(type(kept[largest])):
            break
        kept[largest] = empty.get(type(kept[largest]))
    return {**kept, REST: f"Too large to be shown: {', '.join(left_out)}. Read {pointer}"}


def _fits(result: dict[str, Any]) -> bool:
    return _bytes(result) <= MAX_RESULT


def _bytes(value: Any) -> int:
    """Return the size of a value in a result: as JSON, and as text in JSON. 500 are for what is around it."""
    text = json.dumps(value, ensure_ascii=False)
    return _size(text) + len(json.dumps(text)) + (500 if isinstance(value, dict) and REST in value else 0)


def _size(text: str) -> int:
    """Return the bytes of JSON in ASCII."""
    return len(text) if text.isascii() else len(json.dumps(text))
