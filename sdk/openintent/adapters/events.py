"""Calls that log a request to a model. They are described in the background, because that checks every value."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .._call import Call, call_builder
from ..client import OpenIntentClient
from ..errors import InputValidationError
from ..models import Cost, Event
from ..validation import validate_json
from .parsing import ToolCall, Usage
from .prices import Prices, price_of

NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
"""Characters that the protocol rejects (§1 "JSON"); a model may produce them."""
COST_TYPE = "api_call"

request_started = call_builder(OpenIntentClient.log_llm_request_started)
stream_started = call_builder(OpenIntentClient.start_stream)
stream_chunk = call_builder(OpenIntentClient.log_stream_chunk)
stream_completed = call_builder(OpenIntentClient.complete_stream)


def replace_invalid(text: str | None) -> str | None:
    return text and NOT_TEXT.sub("\ufffd", text)


def request_completed(intent_id: str, *, response_content: str | None, **fields: Any) -> Call[Event]:
    content = replace_invalid(response_content)
    return call_builder(OpenIntentClient.log_llm_request_completed)(intent_id, response_content=content, **fields)


def request_failed(intent_id: str, *, error: str, **fields: Any) -> Call[Event]:
    return call_builder(OpenIntentClient.log_llm_request_failed)(intent_id, error=replace_invalid(error) or "unknown", **fields)


def stream_cancelled(intent_id: str, *, reason: str, **fields: Any) -> Call[Event]:
    return call_builder(OpenIntentClient.cancel_stream)(intent_id, reason=replace_invalid(reason), **fields)


def tool_call_started(intent_id: str, *, call: ToolCall, max_content: int, **fields: Any) -> Call[Event]:
    """Return the call that logs a tool call. Arguments that are too long, or no JSON object, become `{"text": …}`, truncated."""
    arguments: Mapping[str, Any] = {}
    if max_content:
        text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, default=str)
        arguments = {"text": replace_invalid(text[:max_content])}
        if len(text) <= max_content:
            with suppress(ValueError, InputValidationError, RecursionError):
                parsed = json.loads(text or "{}")
                validate_json(parsed, "arguments", depth=2)
                arguments = parsed if isinstance(parsed, dict) else arguments
    return call_builder(OpenIntentClient.log_tool_call_started)(
        intent_id,
        tool_name=replace_invalid(call.name) or "unknown",
        tool_id=call.id,
        arguments=arguments,
        **fields,
    )


def cost(
    intent_id: str,
    *,
    provider: str,
    model: str,
    usage: Usage,
    prices: Prices,
    is_complete: bool,
    **fields: Any,
) -> Call[Cost]:
    """Return the call that records a cost: in USD if there is a price, else in tokens. `is_complete` is False if a stream was left
    before its usage was complete, or is not known at all."""
    price = price_of(prices, provider, model)
    amount = price.of(usage) if price else None
    metadata: dict[str, Any] = {
        "model": model,
        **fields,
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "cached_tokens": usage.cached,
        "cache_write_tokens": usage.cache_write + usage.cache_write_hour,
    }
    if usage.modifiers:
        metadata["modifiers"] = list(usage.modifiers)
    if usage.tools:
        metadata["tools"] = usage.tools
    if price and amount is not None and (unpriced := usage.tools.keys() - price.tools):
        metadata["not_included"] = sorted(unpriced)
    if not is_complete:
        metadata["incomplete"] = True
    spent, unit = (usage.total, "tokens") if amount is None else (amount, "USD")
    return call_builder(OpenIntentClient.record_cost)(
        intent_id, COST_TYPE, spent, unit, provider=provider, model=model, metadata=metadata
    )
