"""Trace of model and tool calls: the events of each call joined, with its duration, tokens and costs (RFC-0008, RFC-0009)."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from console.json_tree import shorten
from costs.models import Cost

LONGEST = timedelta(days=30)  # What clients say about a duration may be anything.
LATEST = timedelta(days=1)  # From what happened until it was logged.
MAX_TOKENS = 10**12
MAX_NAME = 80

_EVENTS = {
    "llm_request_started": ("models", "request_id", "started"),
    "llm_request_completed": ("models", "request_id", "completed"),
    "llm_request_failed": ("models", "request_id", "failed"),
    "stream_started": ("models", "stream_id", "joined"),
    "stream_completed": ("models", "stream_id", "joined"),
    "stream_cancelled": ("models", "stream_id", "cancelled"),
    "tool_call_started": ("tools", "tool_id", "started"),
    "tool_call_completed": ("tools", "tool_id", "completed"),
    "tool_call_failed": ("tools", "tool_id", "failed"),
}
"""Lane, the member that joins the events of one call, and what the event says of it. A stream has the id of its request."""


@dataclass(slots=True)
class Item:
    """A mark (without `end`) or a bar in a lane, with the page that `link` names."""

    lane: str
    start: datetime
    name: str
    link: tuple[str, Any]
    actor: str = ""
    end: datetime | None = None
    said: str = ""
    result: str = ""
    tone: str = "plain"
    duration: timedelta | None = None
    prompt: int | None = None
    completion: int | None = None
    tokens: int | None = None
    costs: list[Cost] = field(default_factory=list)


class CallTrace:
    """The calls of events that are taken in their order. A call whose beginning is not among them begins by its duration."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._open: dict[tuple[str, str], Item] = {}
        self._requests: dict[str, Item] = {}

    def take(self, row: int, event_type: str, actor: str, created_at: datetime, payload: Mapping[str, Any]) -> bool:
        """Return whether the event is one of a call."""
        if event_type not in _EVENTS:
            return False
        lane, member, said = _EVENTS[event_type]
        key, at = str(payload.get(member) or row), _occurred_at(payload, created_at)
        item = self._open.get((lane, key))
        if item is None and lane == "models":
            item = self._requests.get(key)
            if item is not None and said in ("joined", "cancelled"):
                return True  # The request has ended.
        if item is None or said == "started":
            item = Item(
                lane, at, _name(lane, payload), ("admin:intents_event_change", row), actor, said=_text(payload, "provider")
            )
            item.result = "Requested" if lane == "tools" else "Not ended"
            self.items.append(item)
            self._open[lane, key] = item
            if lane == "models":
                self._requests[key] = item
        if said in ("completed", "failed", "cancelled"):
            self._end(item, said, at, payload)
            item.link = ("admin:intents_event_change", row)
            self._open.pop((lane, key), None)
        elif event_type == "stream_completed":
            item.completion = item.completion or _tokens(payload, "tokens_streamed")
        return True

    def _end(self, item: Item, said: str, at: datetime, payload: Mapping[str, Any]) -> None:
        milliseconds = payload.get("duration_ms")
        if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool) and math.isfinite(milliseconds):
            item.duration = timedelta(milliseconds=min(max(milliseconds, 0), LONGEST / timedelta(milliseconds=1)))
            item.start = min(item.start, at - item.duration)
        elif item.start < at:
            item.duration = at - item.start
        item.end = at
        item.prompt, item.completion = _tokens(payload, "prompt_tokens"), _tokens(payload, "completion_tokens")
        item.tokens = _tokens(payload, "total_tokens")
        if item.tokens is None and item.prompt is not None and item.completion is not None:
            item.tokens = item.prompt + item.completion
        problem = shorten(payload.get("error") or payload.get("reason") or "", 160)
        item.tone = {"completed": "good", "failed": "bad"}.get(said, "warn")
        item.result = f"{said.capitalize()}{f': {problem}' if problem and said != 'completed' else ''}"

    def add_costs(self, costs: Iterable[Cost]) -> Iterator[Cost]:
        """Give the costs to the requests that they name, and yield the others."""
        for cost in costs:
            named = cost.metadata.get("request_id") if isinstance(cost.metadata, dict) else None
            if isinstance(named, str) and (item := self._requests.get(named)):
                item.costs.append(cost)
            else:
                yield cost


def _name(lane: str, payload: Mapping[str, Any]) -> str:
    return _text(payload, "tool_name" if lane == "tools" else "model") or ("tool" if lane == "tools" else "model")


def _text(payload: Mapping[str, Any], member: str) -> str:
    value = payload.get(member)
    return value[:MAX_NAME] if isinstance(value, str) else ""


def _tokens(payload: Mapping[str, Any], member: str) -> int | None:
    value = payload.get(member)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS else None


def _occurred_at(payload: Mapping[str, Any], logged_at: datetime) -> datetime:
    """Return the time that the client gives, as long as it is plausible, or else the one of the log."""
    try:
        said = parse_datetime(payload.get("occurred_at") or "")
        return said if said and said.tzinfo and logged_at - LATEST <= said <= logged_at else logged_at
    except (TypeError, ValueError, OverflowError):
        return logged_at
