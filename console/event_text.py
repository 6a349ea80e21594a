"""Events and people in a few words."""

from collections.abc import Callable
from typing import Any

from access.identity import SYSTEM
from console.json_tree import in_short
from costs.budget_limits import PER_AGENT
from intents.events import EventType

PERSON = "user:"


def person(actor: str) -> str:
    """`user:ines` is ines; agents are called what they are called."""
    return actor.removeprefix(PERSON)


def is_agent(actor: str) -> bool:
    return actor != SYSTEM.id and not actor.startswith(PERSON)


def told(event_type: str, payload: dict[str, Any]) -> str:
    """What the event says beside its type, in a line. Empty where that is all."""
    if say := _SAID.get(event_type):
        return say(payload)
    return ", ".join(f"{name}: {in_short(value, 60)}" for name, value in payload.items() if _is_telling(name, value))[:200]


def _is_telling(name: str, value: Any) -> bool:
    return not name.endswith("_id") and isinstance(value, str | int | float) and value != ""


def _patched(payload: dict[str, Any]) -> str:
    return ", ".join(_patch(each) for each in payload["patches"][:4]) + (" …" if len(payload["patches"]) > 4 else "")


def _patch(patch: dict[str, Any]) -> str:
    path = patch["path"].strip("/").replace("/", ".")
    return f"{path} removed" if patch["op"] == "remove" else f"{path} = {in_short(patch['value'], 50)}"


def _moved(payload: dict[str, Any]) -> str:
    return f"{payload['from']} → {payload['to']}" + (f" ({in_short(payload['reason'])})" if payload.get("reason") else "")


def _ended(payload: dict[str, Any]) -> str:
    return payload["scope"] + (f" ({in_short(payload['reason'])})" if payload.get("reason") else "")


def _spent(payload: dict[str, Any]) -> str:
    by = f" by {payload['agent_id']}" if payload.get("limit_kind") == PER_AGENT else ""
    return f"{payload['spent_usd']} of {payload['limit_usd']} USD{by}"


_SAID: dict[str, Callable[[dict[str, Any]], str]] = {
    EventType.STATE_PATCHED: _patched,
    EventType.STATUS_CHANGED: _moved,
    EventType.ARBITRATION_REQUESTED: lambda payload: in_short(payload["reason"]),
    EventType.ARBITRATION_WITHDRAWN: lambda payload: in_short(payload.get("reason") or ""),
    EventType.ARBITRATION_EXPIRED: lambda payload: "",
    EventType.DECISION_RECORDED: lambda payload: in_short(payload["decision"]),
    EventType.INTENT_UPDATED: lambda payload: in_short(payload["changes"]),
    EventType.LEASE_ACQUIRED: _ended,
    EventType.LEASE_RENEWED: _ended,
    EventType.LEASE_RELEASED: _ended,
    EventType.LEASE_EXPIRED: _ended,
    EventType.LEASE_REVOKED: _ended,
    EventType.ATTACHMENT_ADDED: lambda payload: str(payload["filename"]),
    EventType.BUDGET_ALERT: _spent,
    EventType.BUDGET_EXCEEDED: _spent,
    EventType.INTENT_CREATED: lambda payload: payload["status"],
    EventType.AGENT_ASSIGNED: lambda payload: f"{payload['agent_id']} as {payload['role']}",
    EventType.AGENT_UNASSIGNED: lambda payload: str(payload["agent_id"]),
    EventType.FAILURE_RECORDED: lambda payload: f"{payload['error_type']}, attempt {payload['attempt']} by {payload['agent_id']}",
    EventType.COST_RECORDED: lambda payload: f"{payload['amount']} {payload['unit']}",
    "comment": lambda payload: in_short(payload.get("message") or payload.get("text") or payload),
}
