"""One request to a model, as the adapter sees it go by."""

import os
from collections.abc import Callable, Mapping
from itertools import count
from time import perf_counter
from typing import Any
from uuid import uuid4

from . import events
from .parsing import Dialect, Hides, Reading
from .sink import Log, logger

LONGEST_ERROR = 2_000  # Characters: some are the page of a proxy.


class _Ids:
    """Ids of requests, in the form of UUIDs: a random beginning for each process, and a count.

    They have to be new, not hard to guess; a random one for each request would be a good part of what the log costs the caller.
    """

    def __init__(self) -> None:
        self.begin_anew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.begin_anew)

    def begin_anew(self) -> None:
        self._process = str(uuid4())[:24]
        self._count = count()

    def new(self) -> str:
        return f"{self._process}{next(self._count):012x}"


_ids = _Ids()


class Watch:
    """What is seen of one request, and put into the log. None of its methods raises, whatever the provider sends.

    A request is started, and then ended by one of `answered`, `failed`, `stream_ended`, `stream_broke`, `stream_left`; what
    comes after its end is ignored.
    """

    __slots__ = (
        "_dialect",
        "_ended",
        "_hides",
        "_interval",
        "_log",
        "_opened",
        "_reader",
        "_reading",
        "_request",
        "_since",
        "_started",
        "asked",
        "chunks",
    )

    def __init__(self, log: Log, dialect: Dialect, arguments: Mapping[str, Any]) -> None:
        """Raises whatever the dialect's surprise at the arguments is."""
        config = log.config
        self._log = log
        self.asked = dialect.asked(arguments)
        self._request = {"request_id": _ids.new(), "provider": log.provider, "model": self.asked.model}
        self._reading = Reading(config.longest_content if config.log_content else 0)
        self._dialect = dialect
        self._hides: Hides | None = None
        self._reader = dialect.reader(self._reading)
        self._interval = config.chunk_log_interval if config.log_streams and config.log_stream_chunks else 0
        self._started = self._opened = self._ended = False
        self._since = 0.0
        self.chunks = 0

    def prepared(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments to send: those of a stream may have to ask for its usage."""
        if self.asked.stream and self._log.config.request_stream_usage:
            arguments, self._hides = self._dialect.with_usage(arguments)
        return arguments

    def started(self) -> None:
        """The request goes out."""
        self._started = True
        self._since = perf_counter()
        if self._log.config.log_requests:
            asked = self.asked
            self._log.put(
                events.started,
                **self._request,
                messages_count=asked.messages_count,
                tools_available=asked.tools,
                stream=asked.stream,
                temperature=asked.temperature,
            )

    def answered(self, answer: Any) -> None:
        """The answer is there as a whole."""
        self._safely(self._dialect.read, answer, self._reading)
        self._complete()

    def failed(self, error: BaseException) -> None:
        """There is no answer."""
        if not self._ended:
            self._ended = True
            self._fail(_words(error))

    def stream_opened(self) -> None:
        """The answer begins to come."""
        self._opened = True
        self._log.queue.open.add(self)
        if self._log.config.log_streams:
            self._log.put(events.opened, **self._stream())

    def take(self, chunk: Any) -> bool:
        """A piece of the answer has come. Whether the caller is to have it. For every token: this must cost next to nothing."""
        if not self._opened:
            self.stream_opened()
        try:
            self._reader.take(chunk)
            if self._hides and self._hides(chunk):
                return False
        except Exception as error:
            self._unreadable(error)
        if self._interval and self.chunks % self._interval == 0:
            self._log.put(events.chunk, stream_id=self._request["request_id"], chunk_index=self.chunks)
        self.chunks += 1
        return True

    def stream_ended(self) -> None:
        """The answer has come as a whole."""
        if self._ended:
            return
        if not self._opened:
            self.stream_opened()
        self._close()
        if self._log.config.log_streams:
            self._log.put(events.ended, **self._stream(), **self._progress())
        self._complete()

    def stream_broke(self, error: BaseException) -> None:
        """No more will come. What is no `Exception`, a cancelled task or Ctrl+C, is the caller's own doing."""
        if not isinstance(error, Exception):
            self.stream_left(_words(error))
        elif not self._ended:
            self._close()
            self._ended = True
            if self._opened and self._log.config.log_streams:
                self._log.put(events.cancelled, **self._stream(), **self._progress(), reason=_words(error))
            self._fail(_words(error))
            self._cost(whole=False)

    def stream_left(self, reason: str) -> None:
        """The caller wants no more. If the model had come to its end, the stream is complete all the same."""
        if self._ended or not self._started:
            return
        if self._reading.finish_reason:
            self.stream_ended()
            return
        self._close()
        self._ended = True
        if self._log.config.log_streams:
            self._log.put(events.cancelled, **self._stream(), **self._progress(), reason=reason)
        else:  # Nothing else would say that the request is over.
            self._fail(reason)
        self._cost(whole=False)

    def _complete(self) -> None:
        if self._ended:
            return
        self._ended = True
        reading = self._reading
        if reading.error is not None:
            self._fail(reading.error)
        elif self._log.config.log_requests:
            content, usage = reading.content, reading.usage
            self._log.put(
                events.completed,
                len(content or ""),
                **self._request,
                messages_count=self.asked.messages_count,
                response_content=content,
                finish_reason=reading.finish_reason,
                prompt_tokens=usage and usage.prompt,
                completion_tokens=usage and usage.completion,
                total_tokens=usage and usage.total,
                duration_ms=self._duration(),
            )
        self._tools()
        self._cost(whole=True)

    def _fail(self, error: str) -> None:
        if self._log.config.log_requests:
            self._log.put(
                events.failed,
                **self._request,
                error=error,
                messages_count=self.asked.messages_count,
                duration_ms=self._duration(),
            )

    def _tools(self) -> None:
        config = self._log.config
        if not config.log_tool_calls:
            return
        for number, call in enumerate(self._reading.tools):
            call.id = call.id or f"{self._request['request_id']}-{number}"  # Gemini gives none.
            self._log.put(
                events.tool_call,
                len(str(call.arguments)),
                call=call,
                room=config.longest_content if config.log_content else 0,
                provider=self._log.provider,
                model=self._request["model"],
            )

    def _cost(self, *, whole: bool) -> None:
        config, reading = self._log.config, self._reading
        if config.record_costs and reading.usage and reading.usage.total:
            self._log.put(
                events.cost,
                provider=self._log.provider,
                model=reading.model or self._request["model"],
                usage=reading.usage,
                standard=reading.standard,
                prices=config.prices,
                whole=whole,
                request_id=self._request["request_id"],
            )

    def _close(self) -> None:
        self._log.queue.open.discard(self)
        self._safely(self._reader.close)

    def _stream(self) -> dict[str, Any]:
        return {"stream_id": self._request["request_id"], "provider": self._log.provider, "model": self._request["model"]}

    def _progress(self) -> dict[str, Any]:
        usage = self._reading.usage
        return {"chunks_received": self.chunks, "tokens_streamed": usage and usage.completion}

    def _duration(self) -> float:
        return round((perf_counter() - self._since) * 1000, 3)

    def _safely(self, read: Callable[..., None], *arguments: Any) -> None:
        try:
            read(*arguments)
        except Exception as error:
            self._unreadable(error)

    def _unreadable(self, error: Exception) -> None:
        """Said once: what a provider sends otherwise than expected, it sends with every chunk."""
        self._reader, self._hides = _Unread(), None
        logger.warning("An answer of %s was not understood: %r. It is logged without details.", self._log.provider, error)
        self._log.report(error, "reading")


class _Unread:
    def take(self, chunk: Any) -> None:
        pass

    def close(self) -> None:
        pass


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST_ERROR] if str(error) else type(error).__name__
