"""States of intents before and after a change, from the log."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from ..client import OpenIntentClient
from ..enums import EventType
from ..models import Event

MAX_KNOWN = 100
"""Intents whose last state is remembered, so that only newer patches are read."""

State = dict[str, Any]


class LoggedStates:
    """Reads the states of intents from their logs: the first one, and all patches since (protocol E-6)."""

    def __init__(self, client: OpenIntentClient) -> None:
        self._client = client
        self._known: OrderedDict[str, tuple[int, State, State]] = OrderedDict()

    def around(self, event: Event) -> tuple[State, State]:
        """Return the state before and after an event that has changed it. Raise OpenIntentError."""
        intent_id, until = str(event.intent_id), event.sequence or 0
        sequence, old, new = self._known.pop(intent_id, (0, {}, {}))
        if sequence > until:
            sequence, old, new = 0, {}, {}
        types = f"{EventType.INTENT_CREATED},{EventType.STATE_PATCHED}"
        for each in self._client.get_events(intent_id, event_type=types, after=sequence):
            if (each.sequence or 0) > until:
                break
            old, sequence = new, each.sequence or 0
            if each.event_type == EventType.INTENT_CREATED:
                new = each.payload.get("state") or {}
            else:
                new = apply_patches(old, each.payload["patches"])
        self._known[intent_id] = sequence, old, new
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return deepcopy(old), deepcopy(new)


def apply_patches(state: Mapping[str, Any], patches: Sequence[Mapping[str, Any]]) -> State:
    """Return the state after patches that the server has applied to it (protocol I-3)."""
    result: State = deepcopy(dict(state))
    for patch in patches:
        path: str = patch["path"]
        keys = [key.replace("~1", "/").replace("~0", "~") for key in path[1:].split("/")] if path.startswith("/") else [path]
        container: Any = result
        for key in keys[:-1]:
            container = container[int(key)] if isinstance(container, list) else container.setdefault(key, {})
        value, last = deepcopy(patch.get("value")), keys[-1]
        index: Any = last if isinstance(container, dict) or last == "-" else int(last)
        match patch["op"]:
            case "append" if isinstance(container, dict):
                container.setdefault(index, []).append(value)
            case "append":
                container[index].append(value)
            case "set" if isinstance(container, list) and last == "-":
                container.append(value)
            case "set":
                container[index] = value
            case "remove":
                del container[index]
    return result
