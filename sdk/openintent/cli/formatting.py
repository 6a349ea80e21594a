"""Formatting of statuses, amounts and events."""

from collections.abc import Sequence
from decimal import Decimal

from rich.text import Text

from ..models import Event, Intent, IntentAgent
from .durations import format_time
from .json_output import dumps
from .sanitize import escape

_STATUS = {
    "draft": "dim",
    "pending": "cyan",
    "active": "green",
    "blocked": "yellow",
    "completed": "blue",
    "resolved": "blue",
    "abandoned": "dim",
    "expired": "dim",
    "released": "dim",
    "revoked": "red",
    "withdrawn": "dim",
}

_EVENT = {
    "status_changed": "bold",
    "arbitration_requested": "yellow",
    "decision_recorded": "blue",
    "budget_alert": "yellow",
    "budget_exceeded": "red",
    "failure_recorded": "red",
    "retries_exhausted": "red",
    "dependency_abandoned": "red",
    "lease_revoked": "red",
}


def status(word: str) -> Text:
    return Text(escape(word), style=_STATUS.get(word, ""))


def agents(assigned: Sequence[IntentAgent]) -> str:
    return ", ".join(f"{each.agent_id} ({each.role})" if each.role else each.agent_id for each in assigned)


def amount(value: Decimal | None, unit: str | None) -> str:
    return "–" if value is None else f"{value.normalize():f} {unit or ''}".strip()


def bar(share: float, width: int = 20) -> Text:
    """Return a progress bar for a share from 0 to 1."""
    done = round(min(max(share, 0), 1) * width)
    return Text("█" * done, style="green").append("░" * (width - done), style="dim")


def event_line(event: Event, intent: str | None) -> Text:
    """Format an event on one line; `intent` is shown if it is not None."""
    parts = [(format_time(event.created_at), "dim"), (event.event_type, _EVENT.get(event.event_type, "cyan")), (event.actor, "")]
    if intent is not None:
        parts.append((intent, "dim"))
    line = Text("  ").join(Text(escape(text), style=style) for text, style in parts)
    return line.append("  ").append(escape(summary(event)))


def summary(event: Event) -> str:
    """Summarise the payload of an event."""
    payload = event.payload
    if event.event_type == "status_changed" and "to" in payload:
        reason = f" ({payload['reason']})" if payload.get("reason") else ""
        return f"{payload.get('from')} → {payload['to']}{reason}"
    if event.event_type == "intent_created":
        return str(payload.get("title"))
    if event.event_type == "state_patched" and isinstance(payload.get("patches"), list):
        changes = []
        for patch in payload["patches"]:
            path = str(patch.get("path", "")).removeprefix("/")
            sign = {"set": "=", "append": "+="}.get(str(patch.get("op")))
            changes.append(f"{path}{sign}{_value(patch.get('value'))}" if sign else f"{patch.get('op')} {path}")
        return ", ".join(changes)
    shown = {  # No ids of the event's subject, and not its actor again.
        name: value
        for name, value in payload.items()
        if (value not in (None, "", [], {}) and not name.endswith("_id")) or (name == "agent_id" and value != event.actor)
    }
    return " ".join(f"{name}={_value(value)}" for name, value in shown.items())


def _value(value: object) -> str:
    return value if isinstance(value, str) else dumps(value, indent=None)


def title(intent: Intent) -> Text:
    return Text(escape(intent.title), style="bold")
