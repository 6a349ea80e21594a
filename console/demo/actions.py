"""Actions of the agents of the example, each one verb."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from access.identity import Actor
from core.ids import new_id
from costs.amounts import TRILLIONTHS
from costs.services import record_cost
from intents.events import NewEvent
from intents.models import Intent
from intents.operations import Assignee
from intents.services import create_intent, log_events, patch_state, set_status
from leasing.models import Lease
from leasing.services import acquire_lease

LEAD = Actor("incident-lead")
MODELS = {
    "claude-sonnet-4-5": "anthropic",
    "gpt-5": "openai",
    "gpt-5-mini": "openai",
    "gemini-2.5-pro": "google",
}


def add_intent(title: str, *, by: Actor = LEAD, to: str | None = None, **fields: Any) -> UUID:
    """Create an intent assigned to `to`. Return its id."""
    return create_intent(actor=by, title=title, assign=[Assignee(to)] if to else [], **fields).pk


def change_status(intent_id: UUID, *statuses: str, by: str, reason: str | None = None) -> None:
    for status in statuses:
        set_status(intent_id=intent_id, expected_version=version(intent_id), actor=Actor(by), status=status, reason=reason)


def set_state(intent_id: UUID, *, by: str, **state: Any) -> None:
    patches = [{"op": "set", "path": path, "value": value} for path, value in state.items()]
    patch_state(intent_id=intent_id, expected_version=version(intent_id), actor=Actor(by), patches=patches)


def add_cost(
    intent_id: UUID, usd: str, *, by: str, model: str = "claude-sonnet-4-5", metadata: dict[str, Any] | None = None
) -> None:
    record_cost(
        intent_id=intent_id,
        actor=Actor(by),
        cost_type="tokens",
        amount=int(Decimal(usd) * TRILLIONTHS),
        unit="USD",
        provider=MODELS[model],
        model=model,
        metadata=metadata,
    )


def call_model(intent_id: UUID, usd: str, *, by: str, model: str, milliseconds: int, tokens: tuple[int, int]) -> None:
    """Log a request to a model and its cost, as the SDK's adapters do."""
    request = {"request_id": str(new_id()), "provider": MODELS[model], "model": model}
    prompt, completion = tokens
    log_event(intent_id, "llm_request_started", by=by, **request, messages_count=4, tools_available=["search"], stream=False)
    used = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    ends = {**request, "messages_count": 4, "finish_reason": "stop", **used, "duration_ms": milliseconds}
    log_event(intent_id, "llm_request_completed", by=by, **ends)
    add_cost(intent_id, usd, by=by, model=model, metadata={**request, **used})


def call_tool(intent_id: UUID, name: str, *, by: str, milliseconds: int, **arguments: Any) -> None:
    call = {"tool_name": name, "tool_id": f"call_{new_id().hex[-12:]}", "arguments": arguments}
    log_event(intent_id, "tool_call_started", by=by, **call)
    log_event(intent_id, "tool_call_completed", by=by, **call, duration_ms=milliseconds)


def take_lease(intent_id: UUID, scope: str, seconds: int, *, by: str) -> Lease:
    return acquire_lease(intent_id=intent_id, actor=Actor(by), scope=scope, duration=timedelta(seconds=seconds))[0]


def log_event(intent_id: UUID, event_type: str, *, by: str, **payload: Any) -> None:
    log_events(intent_id=intent_id, events=[NewEvent(event_type, payload)], actor=Actor(by))


def version(intent_id: UUID) -> int:
    return Intent.objects.values_list("version", flat=True).get(pk=intent_id)
