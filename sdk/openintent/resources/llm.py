"""LLM activity as events of an intent: tool calls, requests, streams (RFC-0008).

Each method appends one event, whose type follows from the method's name (`log_tool_call_started` logs
`tool_call_started`) and whose payload has the arguments under their own names, without those that are None. Each raises
InputValidationError if an argument is not JSON, and NotFoundError.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .._call import Call, call_builder
from .._parameters import Id, without_none
from ..enums import EventType
from ..models import Event
from ._transport import Transport
from .events import EventResource


class LLMResource(Transport):
    """/intents/{id}/events, for tool calls, LLM requests and streams (RFC-0008)."""

    def log_tool_call_started(
        self,
        intent_id: Id,
        tool_name: str,
        tool_id: str,
        arguments: Mapping[str, Any],
        provider: str | None = None,
        model: str | None = None,
        parent_request_id: str | None = None,
    ) -> Event:
        """Log that a model requested a tool call. `tool_id` identifies the call in its events, `parent_request_id` the request."""
        return self.send(
            llm_event(
                intent_id,
                EventType.TOOL_CALL_STARTED,
                tool_name=tool_name,
                tool_id=tool_id,
                arguments=arguments,
                provider=provider,
                model=model,
                parent_request_id=parent_request_id,
            )
        )

    def log_tool_call_completed(
        self,
        intent_id: Id,
        tool_name: str,
        tool_id: str,
        arguments: Mapping[str, Any] | None = None,
        result: Any = None,
        duration_ms: float | None = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> Event:
        """Log the result of a tool call, and its duration in milliseconds."""
        return self.send(
            llm_event(
                intent_id,
                EventType.TOOL_CALL_COMPLETED,
                tool_name=tool_name,
                tool_id=tool_id,
                arguments=arguments,
                result=result,
                duration_ms=duration_ms,
                provider=provider,
                model=model,
            )
        )

    def log_tool_call_failed(
        self,
        intent_id: Id,
        tool_name: str,
        tool_id: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        error: str,
        duration_ms: float | None = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> Event:
        """Log that a tool call failed, with the error and the duration in milliseconds."""
        return self.send(
            llm_event(
                intent_id,
                EventType.TOOL_CALL_FAILED,
                tool_name=tool_name,
                tool_id=tool_id,
                arguments=arguments,
                error=error,
                duration_ms=duration_ms,
                provider=provider,
                model=model,
            )
        )

    def log_llm_request_started(
        self,
        intent_id: Id,
        request_id: str,
        provider: str,
        model: str,
        messages_count: int | None = None,
        tools_available: Sequence[str] | None = None,
        stream: bool | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> Event:
        """Log that a request to a model was sent. `request_id` identifies the request in its events."""
        return self.send(
            llm_event(
                intent_id,
                EventType.LLM_REQUEST_STARTED,
                request_id=request_id,
                provider=provider,
                model=model,
                messages_count=messages_count,
                tools_available=None if tools_available is None else list(tools_available),
                stream=stream,
                temperature=temperature,
                max_tokens=max_tokens,
            )
        )

    def log_llm_request_completed(
        self,
        intent_id: Id,
        request_id: str,
        provider: str,
        model: str,
        messages_count: int | None = None,
        response_content: str | None = None,
        tool_calls: Sequence[Mapping[str, Any]] | None = None,
        finish_reason: str | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
        duration_ms: float | None = None,
    ) -> Event:
        """Log a model's response: its content, finish reason, tokens, and duration in milliseconds."""
        return self.send(
            llm_event(
                intent_id,
                EventType.LLM_REQUEST_COMPLETED,
                request_id=request_id,
                provider=provider,
                model=model,
                messages_count=messages_count,
                response_content=response_content,
                tool_calls=None if tool_calls is None else list(tool_calls),
                finish_reason=finish_reason,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                total_tokens=total_tokens,
                duration_ms=duration_ms,
            )
        )

    def log_llm_request_failed(
        self,
        intent_id: Id,
        request_id: str,
        provider: str,
        model: str,
        messages_count: int | None = None,
        *,
        error: str,
        duration_ms: float | None = None,
    ) -> Event:
        """Log that a request to a model failed, with the error and the duration in milliseconds."""
        return self.send(
            llm_event(
                intent_id,
                EventType.LLM_REQUEST_FAILED,
                request_id=request_id,
                provider=provider,
                model=model,
                messages_count=messages_count,
                error=error,
                duration_ms=duration_ms,
            )
        )

    def start_stream(self, intent_id: Id, stream_id: str, provider: str, model: str) -> Event:
        """Log that a model's stream started. `stream_id` identifies the stream in its events."""
        return self.send(llm_event(intent_id, EventType.STREAM_STARTED, stream_id=stream_id, provider=provider, model=model))

    def log_stream_chunk(self, intent_id: Id, stream_id: str, chunk_index: int, token_count: int | None = None) -> Event:
        """Log a chunk of a stream. Every tenth or so is enough."""
        return self.send(
            llm_event(intent_id, EventType.STREAM_CHUNK, stream_id=stream_id, chunk_index=chunk_index, token_count=token_count)
        )

    def complete_stream(
        self,
        intent_id: Id,
        stream_id: str,
        provider: str,
        model: str,
        chunks_received: int | None = None,
        tokens_streamed: int | None = None,
    ) -> Event:
        """Log that a stream completed."""
        return self.send(
            llm_event(
                intent_id,
                EventType.STREAM_COMPLETED,
                stream_id=stream_id,
                provider=provider,
                model=model,
                chunks_received=chunks_received,
                tokens_streamed=tokens_streamed,
            )
        )

    def cancel_stream(
        self,
        intent_id: Id,
        stream_id: str,
        provider: str,
        model: str,
        reason: str | None = None,
        chunks_received: int | None = None,
        tokens_streamed: int | None = None,
    ) -> Event:
        """Log that a stream was cancelled, with the reason."""
        return self.send(
            llm_event(
                intent_id,
                EventType.STREAM_CANCELLED,
                stream_id=stream_id,
                provider=provider,
                model=model,
                reason=reason,
                chunks_received=chunks_received,
                tokens_streamed=tokens_streamed,
            )
        )


def llm_event(intent_id: Id, event_type: EventType, **payload: Any) -> Call[Event]:
    return call_builder(EventResource.log_event)(intent_id, event_type, without_none(**payload))
