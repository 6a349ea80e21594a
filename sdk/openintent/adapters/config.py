"""What an adapter logs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..validation import validate_whole_number
from .prices import PRICES, Prices

OnError: TypeAlias = Callable[[Exception, dict[str, Any]], object]
"""Hears of an error of the logging, and of its context: see `AdapterConfig.on_error`."""


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """What an adapter logs, and whom it tells when it cannot. Raises InputValidationError.

    log_requests          `llm_request_*` events
    log_tool_calls        `tool_call_started` events
    log_streams           `stream_started`, `stream_completed`, `stream_cancelled`
    log_stream_chunks     `stream_chunk`, for every `chunk_log_interval`th chunk, beginning with the first
    on_error              is called with each error of the logging and its context, a dict: `phase` is "reading" (an answer of the
                          provider was not understood), "queueing" (dropped: the queue is full), "sending" (the server is away;
                          once for each time that it is, it is tried again) or "refused" (dropped); `intent_id`, `provider`, and
                          for what is dropped `count`. It runs in the thread that noticed, mostly the queue's own; what it
                          raises is logged
    log_content           whether the model's words and the tools' arguments are logged. The prompt never is
    longest_content       characters of either that are kept, in an event of at most 256 KiB
    record_costs          whether token usage is recorded as costs
    prices                by provider and model; see `openintent.adapters.prices`
    request_stream_usage  whether streamed chat completions are asked for their usage (`stream_options`), which OpenAI and those
                          who speak its dialect only tell on request. The chunk that tells it is kept from a caller who did not ask
                          for it. Turn it off for a server that does not know the option; its streams then have no cost
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
