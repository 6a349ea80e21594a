"""Configuration of adapters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..validation import validate_whole_number
from .price_list import PRICES
from .prices import Prices

OnError: TypeAlias = Callable[[Exception, dict[str, Any]], object]
"""Callback for errors of the logging, with their context: see `AdapterConfig.on_error`."""


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """The events and costs that an adapter logs, and its error callback. Raises InputValidationError.

    log_requests          `llm_request_*` events
    log_tool_calls        `tool_call_started` events
    log_streams           `stream_started`, `stream_completed`, `stream_cancelled`
    log_stream_chunks     `stream_chunk`, for every `chunk_log_interval`th chunk, beginning with the first
    on_error              is called with each error of the logging and its context, a dict: `phase` is "reading" (a response of the
                          provider could not be parsed), "queueing" (dropped: the queue is full), "sending" (the server is
                          unavailable: called once for each outage, and the events are retried) or "refused" (dropped);
                          `intent_id`, `provider`, and for dropped entries `count`. It runs in the thread that found the error,
                          mostly the queue's own; exceptions it raises are logged
    log_content           whether the model's text and the tools' arguments are logged. The prompt never is
    longest_content       characters of either that are logged, in an event of at most 256 KiB
    record_costs          whether token usage is recorded as costs
    prices                by provider and model; see `openintent.adapters.prices`
    request_stream_usage  whether streamed chat completions request their usage (`stream_options`), which OpenAI and compatible
                          providers only send on request. The chunk with it is hidden from a caller who did not request
                          it. Turn it off for a server that does not know the option; its streams then have no cost
    """

    log_requests: bool = True
    log_tool_calls: bool = True
    log_streams: bool = True
    log_stream_chunks: bool = False
    chunk_log_interval: int = 10
    on_error: OnError | None = None
    log_content: bool = True
    longest_content: int = 20_000
    record_costs: bool = True
    prices: Prices = field(default_factory=lambda: PRICES, repr=False)
    request_stream_usage: bool = True

    def __post_init__(self) -> None:
        validate_whole_number(self.chunk_log_interval, "chunk_log_interval")
        validate_whole_number(self.longest_content, "longest_content")
