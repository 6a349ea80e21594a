"""Recording of one request to a model."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from time import perf_counter
from traceback import walk_tb
from typing import Any
from uuid import uuid4

from . import events
from .parsing import Dialect, IsHidden, ResponseInfo, Usage, text_or_none
from .sink import EventSink, logger

MAX_ERROR_LENGTH = 2_000  # Characters: some errors are a proxy's page.
UNKNOWN_MODEL = "unknown"
"""The model of a request that names none, until its response does."""


_process, _count = "", count()


def _start_request_ids() -> None:
    """Begin request ids in the form of UUIDs: a random prefix for each process, and a counter.

    They must be unique, not hard to guess; a random UUID for each request would be a large part of the logging's cost.
    """
    global _process, _count
    _process, _count = str(uuid4())[:24], count()


_start_request_ids()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_request_ids)


class RequestRecorder:
    """Records one request in the log. Its `record_…` methods never raise, whatever the provider sends.

    A request is started, and then ended by one of `record_response`, `record_failure`, `record_stream_end`,
    `record_stream_error`, `record_stream_left`; calls after its end are ignored.
    """

    __slots__ = (
        "_chunk_interval",
        "_dialect",
        "_ended",
        "_fields",
        "_has_reported",
        "_held_as",
        "_is_hidden",
        "_parser",
        "_response",
        "_sink",
        "_started_at",
        "_stream_started",
        "chunks",
        "is_started",
        "request",
    )

    def __init__(self, sink: EventSink, dialect: Dialect, arguments: Mapping[str, Any]) -> None:
        """Raise whatever the dialect raises on unexpected arguments."""
        config = sink.config
        self._sink = sink
        self.request = dialect.parse_request(arguments)
        self._fields = {"request_id": f"{_process}{next(_count):012x}", "provider": sink.provider}
        self._fields["model"] = self.request.model or UNKNOWN_MODEL
        self._dialect = dialect
        self._is_hidden: IsHidden | None = None
        self._expect_response()
        self._chunk_interval = config.chunk_log_interval if config.log_streams and config.log_stream_chunks else 0
        self.is_started = self._stream_started = self._ended = False
        self._has_reported = False
        self._held_as: str | None = None
        self._started_at = 0.0
        self.chunks = 0

    def _expect_response(self, unfinished: str | None = None) -> None:
        """Begin to parse a response. `unfinished` is the id of one that was begun before."""
        config = self._sink.config
        self._response = ResponseInfo(config.longest_content if config.log_content else 0, unfinished=unfinished)
        self._parser = self._dialect.chunk_parser(self._response)

    def _wait_for_response(self, response_id: str) -> None:
        self._expect_response(response_id)
        self._held_as = response_id
        self._sink.queue.hold(response_id, self)

    def prepare(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments to send: those of a stream may have to request its usage."""
        if self.request.stream and self._sink.config.request_stream_usage:
            arguments, self._is_hidden = self._dialect.with_usage(arguments)
        return arguments

    def record_start(self) -> None:
        """Record that the request is sent."""
        self.is_started = True
        self._started_at = perf_counter()
        if self._sink.config.log_requests:
            request = self.request
            self._sink.put(
                events.request_started,
                **self._fields,
                messages_count=request.messages_count,
                tools_available=request.tools,
                stream=request.stream,
                temperature=request.temperature,
            )

    def record_response(self, answer: Any) -> None:
        """Record a whole response. One that the provider still works on does not end the request."""
        if self._ended:
            return
        self._try(self._dialect.parse_response, answer, self._response)
        if unfinished := self._response.unfinished:
            self._wait_for_response(unfinished)
        else:
            self._try(self._complete)

    def record_body(self, raw: Any) -> None:
        """Record the whole body of a response that the provider's package has not parsed.

        Where the caller has read it in their own way, its content is not known here, and neither is its cost.
        """
        if self._ended:
            return
        try:
            answer = json.loads(raw.http_response.text, object_hook=_Fields)
        except Exception:
            self._try(self._complete)
            self._put_unknown_cost()
        else:
            self.record_response(answer)

    def record_failure(self, error: BaseException) -> None:
        """Record that there is no response, or none that the provider's package could parse: its usage is recorded.

        One in the background goes on.
        """
        if self._ended or self._response.unfinished:
            return
        body = _body_behind(error)
        if body is not None:
            self._try(self._dialect.parse_response, body, self._response)
        self._ended = True
        self._put_failure(_error_text(error))
        self._put_cost(is_complete=True)

    def record_stream_start(self) -> None:
        """Record that a streamed response starts."""
        self._stream_started = True
        self._sink.queue.open_streams.add(self)
        if self._sink.config.log_streams:
            self._sink.put(events.stream_started, **self._stream_fields())

    def record_chunk(self, chunk: Any) -> bool:
        """Record a chunk. Return whether to pass it to the caller. This is called for every token, so it must be cheap."""
        if not self._stream_started:
            self.record_stream_start()
        try:
            self._parser.feed(chunk)
        except Exception as error:
            self._handle_parse_error(error)
        is_hidden = self._is_hidden
        if is_hidden is not None and is_hidden(chunk):
            return False
        if self._chunk_interval and self.chunks % self._chunk_interval == 0:
            self._sink.put(events.stream_chunk, stream_id=self._fields["request_id"], chunk_index=self.chunks)
        self.chunks += 1
        return True

    def record_stream_end(self) -> None:
        """Record that a streamed response is complete."""
        if self._ended:
            return
        if not self._stream_started:
            self.record_stream_start()
        self._close_stream()
        if self._sink.config.log_streams:
            self._sink.put(events.stream_completed, **self._stream_fields(), **self._progress_fields())
        self._try(self._complete)

    def record_stream_error(self, error: BaseException) -> None:
        """Record that a stream failed. What is no `Exception`, a cancelled task or Ctrl+C, is the caller's doing."""
        if not isinstance(error, Exception):
            self.record_stream_left(_error_text(error))
        elif not self._ended:
            self._end_early(_error_text(error), is_failure=True)

    def record_stream_left(self, reason: str) -> None:
        """Record that the caller has left a stream. If the model had finished, the stream is complete all the same."""
        if self._ended or not self.is_started or (self._held_as and not self._stream_started):
            return
        if self._response.finish_reason:
            self.record_stream_end()
            if self._response.usage is None:  # It comes after the last chunk of the response.
                self._put_unknown_cost()
        else:
            self._end_early(reason)

    def _end_early(self, reason: str, *, is_failure: bool = False) -> None:
        """Record the end of a stream whose response is not complete. The provider goes on with one in the background."""
        self._close_stream()
        config, unfinished = self._sink.config, self._response.unfinished
        self._ended = not unfinished
        if config.log_streams and (self._stream_started or not is_failure):
            self._sink.put(events.stream_cancelled, **self._stream_fields(), **self._progress_fields(), reason=reason)
        if unfinished:
            self._stream_started = False
            self._wait_for_response(unfinished)
            return
        if is_failure or not config.log_streams:  # Without streams, no other event would show that the request has ended.
            self._put_failure(reason)
        self._put_cost(is_complete=False)

    def _complete(self) -> None:
        self._ended = True
        if self._held_as:
            self._sink.queue.unfinished.pop(self._held_as, None)
        response, config = self._response, self._sink.config
        if not self.request.model:
            self._fields["model"] = text_or_none(response.model) or UNKNOWN_MODEL
        if response.error is not None:
            self._put_failure(response.error)
        elif config.log_requests:
            content, usage = response.content, response.usage
            self._sink.put(
                events.request_completed,
                len(content or ""),
                **self._fields,
                messages_count=self.request.messages_count,
                response_content=content,
                finish_reason=text_or_none(response.finish_reason),
                prompt_tokens=usage and usage.prompt,
                completion_tokens=usage and usage.completion,
                total_tokens=usage and usage.total,
                duration_ms=round((perf_counter() - self._started_at) * 1000, 3),
            )
        for number, call in enumerate(response.tool_calls if config.log_tool_calls else ()):
            call.id = call.id or f"{self._fields['request_id']}-{number}"  # Gemini gives none.
            self._sink.put(
                events.tool_call_started,
                len(str(call.arguments)),
                call=call,
                max_content=config.longest_content if config.log_content else 0,
                provider=self._sink.provider,
                model=self._fields["model"],
            )
        self._put_cost(is_complete=True)

    def _put_failure(self, error: str) -> None:
        if self._sink.config.log_requests:
            self._sink.put(
                events.request_failed,
                **self._fields,
                error=error,
                messages_count=self.request.messages_count,
                duration_ms=round((perf_counter() - self._started_at) * 1000, 3),
            )

    def _put_cost(self, *, is_complete: bool) -> None:
        response = self._response
        for model, usage in [(None, response.usage), *response.extra_usage]:
            if usage and usage.total:
                self._put_usage(model, usage, is_complete)

    def _put_unknown_cost(self) -> None:
        """Put a cost of nothing that says that there is one."""
        self._put_usage(None, Usage(), False)

    def _put_usage(self, model: str | None, usage: Usage, is_complete: bool) -> None:
        config = self._sink.config
        if config.record_costs:
            self._sink.put(
                events.cost,
                provider=self._sink.provider,
                model=model or text_or_none(self._response.model) or self._fields["model"],
                usage=usage,
                prices=config.prices,
                is_complete=is_complete,
                request_id=self._fields["request_id"],
            )

    def _close_stream(self) -> None:
        self._sink.queue.open_streams.discard(self)
        self._try(self._parser.close)

    def _stream_fields(self) -> dict[str, Any]:
        return {"stream_id": self._fields["request_id"], "provider": self._sink.provider, "model": self._fields["model"]}

    def _progress_fields(self) -> dict[str, Any]:
        usage = self._response.usage
        return {"chunks_received": self.chunks, "tokens_streamed": usage and usage.completion}

    def _try(self, record: Callable[..., None], *arguments: Any) -> None:
        try:
            record(*arguments)
        except Exception as error:
            self._handle_parse_error(error)

    def _handle_parse_error(self, error: Exception) -> None:
        """Report the error, once for the response: the next chunk may cause it again, or have what can be read."""
        if not self._has_reported:
            self._has_reported = True
            logger.warning("A response of %s could not be parsed: %r. It is logged without details.", self._sink.provider, error)
            self._sink.report(error, "reading")


class _Fields(dict[str, Any]):
    """An object of JSON, whose members are read as those of the provider's own objects: a missing one is None."""

    __getattr__ = dict.get


def _body_behind(error: BaseException) -> Any:
    """Return the response, as JSON, that the provider's package was parsing when it failed; None if that is not the reason.

    Only few errors have the response, but the frame that failed has.
    """
    with suppress(Exception):
        for frame, _ in walk_tb(error.__traceback__):
            if response := getattr(frame.f_locals.get("self"), "http_response", None):
                return json.loads(response.text, object_hook=_Fields)
    return None


def _error_text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:MAX_ERROR_LENGTH] if str(error) else type(error).__name__
