"""What is seen of a request, as calls of the API. They are described in the background: describing checks every value."""

import json
import re
from collections.abc import Mapping
from typing import Any

from .._endpoint import Call
from ..client import OpenIntentClient
from ..errors import InputValidationError
from ..models import Cost, Event
from ..validation import validate_json
from .parsing import ToolCall, Usage
from .prices import Prices, price_of

NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
"""What the protocol does not take (§1 "JSON"); a model may say it all the same."""
COST_TYPE = "api_call"


def clean(text: str | None) -> str | None:
    return text and NOT_TEXT.sub("\ufffd", text)


def started(intent_id: str, **seen: Any) -> Call[Event]:
    return OpenIntentClient.log_llm_request_started(None, intent_id, **seen)


def completed(intent_id: str, *, response_content: str | None, **seen: Any) -> Call[Event]:
    return OpenIntentClient.log_llm_request_completed(None, intent_id, response_content=clean(response_content), **seen)


def failed(intent_id: str, *, error: str, **seen: Any) -> Call[Event]:
    return OpenIntentClient.log_llm_request_failed(None, intent_id, error=clean(error) or "unknown", **seen)


def opened(intent_id: str, **seen: Any) -> Call[Event]:
    return OpenIntentClient.start_stream(None, intent_id, **seen)


def chunk(intent_id: str, **seen: Any) -> Call[Event]:
    return OpenIntentClient.log_stream_chunk(None, intent_id, **seen)


def ended(intent_id: str, **seen: Any) -> Call[Event]:
    return OpenIntentClient.complete_stream(None, intent_id, **seen)


def cancelled(intent_id: str, *, reason: str, **seen: Any) -> Call[Event]:
    return OpenIntentClient.cancel_stream(None, intent_id, reason=clean(reason), **seen)


def tool_call(intent_id: str, *, call: ToolCall, room: int, **seen: Any) -> Call[Event]:
    arguments = _arguments(call.arguments, room) if room else {}
    return OpenIntentClient.log_tool_call_started(
        None, intent_id, tool_name=clean(call.name) or "unknown", tool_id=call.id, arguments=arguments, **seen
    )


def _arguments(given: str | Mapping[str, Any], room: int) -> Mapping[str, Any]:
    """As the model gave them; as `{"text": …}`, cut off if need be, where they are too long or no JSON object."""
    text = given if isinstance(given, str) else json.dumps(given, default=str)
    if len(text) <= room:
        try:
            arguments = json.loads(text or "{}")
            validate_json(arguments, "arguments", depth=2)
        except (ValueError, InputValidationError, RecursionError):
            pass
        else:
            if isinstance(arguments, dict):
                return arguments
    return {"text": clean(text[:room])}


def cost(
    intent_id: str, *, provider: str, model: str, usage: Usage, standard: bool, prices: Prices, whole: bool, **seen: Any
) -> Call[Cost]:
    """In USD where there is a price, else in tokens. `whole` is False where the stream was left before all was told."""
    price = price_of(prices, provider, model) if standard else None
    metadata = {
        "model": model,
        **seen,
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "cached_tokens": usage.cached,
        "cache_write_tokens": usage.cache_write + usage.cache_write_hour,
    }
    if not whole:
        metadata["incomplete"] = True
    amount, unit = (usage.total, "tokens") if price is None else (price.of(usage), "USD")
    return OpenIntentClient.record_cost(
        None, intent_id, COST_TYPE, amount, unit, provider=provider, model=model, metadata=metadata
    )
