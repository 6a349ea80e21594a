"""Summaries of events, and names of actors."""

from collections.abc import Callable
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime

from access.identity import SYSTEM
from console.json_tree import shorten
from console.money import format_dollars
from console.reader_zone import zone_name
from costs.budget_limits import PER_AGENT
from intents.events import EventType

USER_PREFIX = "user:"


def display_name(actor: str) -> str:
    """Return `ines` for `user:ines`; agents keep their id."""
    return actor.removeprefix(USER_PREFIX)


def is_agent(actor: str) -> bool:
    return actor != SYSTEM.id and not actor.startswith(USER_PREFIX)


def summarize_event(event_type: str, payload: dict[str, Any]) -> str:
    """Return a line about the event beside its type, empty if there is nothing to add."""
    if say := _SUMMARIES.get(event_type):
        return say(payload)
    return ", ".join(
        f"{name}: {shorten(value, 60)}"
        for name, value in payload.items()
        if not name.endswith("_id") and isinstance(value, str | int | float) and value != ""
    )[:200]


def summarize_patches(payload: dict[str, Any]) -> str:
    texts = []
    for patch in payload["patches"][:4]:
        path = patch["path"].strip("/").replace("/", ".")
        texts.append(f"{path} removed" if patch["op"] == "remove" else f"{path} = {shorten(patch['value'], 50)}")
    return ", ".join(texts) + (" …" if len(payload["patches"]) > 4 else "")


def summarize_status(payload: dict[str, Any]) -> str:
    return f"{payload['from']} → {payload['to']}" + (f" ({shorten(payload['reason'])})" if payload.get("reason") else "")


def summarize_lease(payload: dict[str, Any]) -> str:
    return payload["scope"] + (f" ({shorten(payload['reason'])})" if payload.get("reason") else "")


def summarize_budget(payload: dict[str, Any]) -> str:
    by = f" by {payload['agent_id']}" if payload.get("limit_kind") == PER_AGENT else ""
    return f"{format_dollars(str(payload['spent_usd']))} of {format_dollars(str(payload['limit_usd']))}{by}"


def summarize_cost(payload: dict[str, Any]) -> str:
    amount, unit = str(payload["amount"]), payload["unit"]
    return format_dollars(amount) if unit == "USD" else f"{amount} {unit}"


def summarize_delegation(payload: dict[str, Any]) -> str:
    may = f"{payload['delegate']} may {', '.join(payload['scope']['actions'])}"
    ends_at = parse_datetime(payload["expires_at"] or "")
    return f"{may} until {date_format(localtime(ends_at), 'j M Y H:i')} {zone_name(ends_at)}" if ends_at else may


_SUMMARIES: dict[str, Callable[[dict[str, Any]], str]] = {
    EventType.STATE_PATCHED: summarize_patches,
    EventType.STATUS_CHANGED: summarize_status,
    EventType.ARBITRATION_REQUESTED: lambda payload: shorten(payload["reason"]),
    EventType.ARBITRATION_WITHDRAWN: lambda payload: shorten(payload.get("reason") or ""),
    EventType.ARBITRATION_EXPIRED: lambda payload: "",
    EventType.ARBITRATION_NOTIFIED: lambda payload: ", ".join(each["channel"] for each in payload["told"]),
    EventType.ARBITRATION_REMINDED: lambda payload: ", ".join(payload["to"]),
    EventType.ARBITRATION_ESCALATED: lambda payload: ", ".join(payload["to"]),
    EventType.ARBITRATION_FELL_BACK: lambda payload: str(payload["do"]),
    EventType.ARBITRATION_ASSIGNED: lambda payload: display_name(payload["assignee"] or "nobody"),
    EventType.INFORMATION_REQUESTED: lambda payload: shorten(payload["question"]),
    EventType.INFORMATION_PROVIDED: lambda payload: shorten(payload["answer"]),
    EventType.DECISION_RECORDED: lambda payload: shorten(payload["decision"]),
    EventType.VOTE_RECORDED: lambda payload: f"{shorten(payload['decision'])} ({payload['granted']} of {payload['quorum']})",
    EventType.PERMIT_GRANTED: lambda payload: f"{payload['verb']} {payload['target']} by {payload['agent_id']}",
    EventType.PERMIT_SPENT: lambda payload: f"{payload['verb']} {payload['target']}",
    EventType.PERMIT_EXPIRED: lambda payload: f"{payload['verb']} {payload['target']}: {payload['status']}",
    EventType.PERMIT_REVOKED: lambda payload: shorten(payload.get("reason") or ""),
    EventType.OUTCOME_RECORDED: lambda payload: str(payload["outcome"]),
    EventType.GATE_SET: lambda payload: str(payload["verb"]),
    EventType.GATE_REMOVED: lambda payload: str(payload["verb"]),
    EventType.CHANNEL_CREATED: lambda payload: shorten(payload["name"]),
    EventType.CHANNEL_UPDATED: lambda payload: f"{shorten(payload['name'])}: {', '.join(payload['changed'])}",
    EventType.CHANNEL_REMOVED: lambda payload: shorten(payload["name"]),
    EventType.CHANNEL_DISABLED: lambda payload: f"{shorten(payload['name'])}: {payload['reason']}",
    EventType.INTENT_UPDATED: lambda payload: shorten(payload["changes"]),
    EventType.LEASE_ACQUIRED: summarize_lease,
    EventType.LEASE_RENEWED: summarize_lease,
    EventType.LEASE_RELEASED: summarize_lease,
    EventType.LEASE_EXPIRED: summarize_lease,
    EventType.LEASE_REVOKED: summarize_lease,
    EventType.ATTACHMENT_ADDED: lambda payload: str(payload["filename"]),
    EventType.BUDGET_ALERT: summarize_budget,
    EventType.BUDGET_EXCEEDED: summarize_budget,
    EventType.INTENT_CREATED: lambda payload: payload["status"],
    EventType.AGENT_ASSIGNED: lambda payload: f"{payload['agent_id']} as {payload['role']}",
    EventType.AGENT_UNASSIGNED: lambda payload: str(payload["agent_id"]),
    EventType.FAILURE_RECORDED: lambda payload: f"{payload['error_type']}, attempt {payload['attempt']} by {payload['agent_id']}",
    EventType.COST_RECORDED: summarize_cost,
    EventType.DELEGATION_GRANTED: summarize_delegation,
    EventType.PORTFOLIO_CREATED: lambda payload: shorten(payload["name"]),
    "comment": lambda payload: shorten(payload.get("message") or payload.get("text") or payload),
}
