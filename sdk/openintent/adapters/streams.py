"""Wrapped streams of providers: iteration is recorded, everything else is the provider's own object."""

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, ClassVar, Self

from .proxy import ObjectProxy
from .request_recorder import RequestRecorder

CLOSE_METHODS = {"close", "aclose"}


class RecordedProxy(ObjectProxy):
    """A proxy of a stream, or of its context manager. Only the methods that the provider's object has are used."""

    def __init__(self, inner: Any, recorder: RequestRecorder) -> None:
        super().__init__(inner)
        self._recorder = recorder
        self._is_over = False  # The recorder may go on: a response in the background can be followed by another stream.

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name not in CLOSE_METHODS:
            return found

        def close(*args: Any, **kwargs: Any) -> Any:
            self._record_left()
            return found(*args, **kwargs)

        return close

    def _record_left(self, error: BaseException | None = None) -> None:
        self._leave(f"{type(error).__name__} in the block" if error else "closed before its end")

    def _leave(self, reason: str) -> None:
        if not self._is_over:
            self._is_over = True
            self._recorder.record_stream_left(reason)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._record_left(error)
        handled: bool | None = self._inner.__exit__(kind, error, traceback)
        return handled

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._record_left(error)
        handled: bool | None = await self._inner.__aexit__(kind, error, traceback)
        return handled


class WrappedStreamBase(RecordedProxy):
    """The base of synchronous and asynchronous streams."""

    next_method: ClassVar[str]
    """The method that tells such a stream of a provider from other objects."""

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    def __del__(self) -> None:
        self._leave("abandoned")


class WrappedStream(WrappedStreamBase):
    """A synchronous stream. `lazy`: the request is sent when the first chunk is requested."""

    next_method = "__next__"

    def __init__(self, inner: Any, recorder: RequestRecorder, *, lazy: bool = False) -> None:
        super().__init__(inner, recorder)
        self._next = inner.__next__
        self._is_unsent = lazy

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._is_unsent:
            self._is_unsent = False
            self._recorder.record_start()
        while True:
            try:
                chunk = self._next()
            except StopIteration:
                self._is_over = True
                self._recorder.record_stream_end()
                raise
            except BaseException as error:
                self._is_over = True
                self._recorder.record_stream_error(error)
                raise
            if self._recorder.record_chunk(chunk):
                return chunk


class WrappedAsyncStream(WrappedStreamBase):
    """An asynchronous stream."""

    next_method = "__anext__"

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while True:
            try:
                chunk = await self._inner.__anext__()
            except StopAsyncIteration:
                self._is_over = True
                self._recorder.record_stream_end()
                raise
            except BaseException as error:
                self._is_over = True
                self._recorder.record_stream_error(error)
                raise
            if self._recorder.record_chunk(chunk):
                return chunk


class StreamManager(RecordedProxy):
    """The context manager that `.stream()` returns: entering the block sends the request.

    The block gets the provider's own helper, which reads a stream: that one is recorded.
    """

    _stream: Any = None

    def __enter__(self) -> Any:
        self._record_start()
        try:
            helper = self._inner.__enter__()
        except BaseException as error:
            self._recorder.record_failure(error)
            raise
        return self._watch(helper, WrappedStream)

    async def __aenter__(self) -> Any:
        self._record_start()
        try:
            helper = await self._inner.__aenter__()
        except BaseException as error:
            self._recorder.record_failure(error)
            raise
        return self._watch(helper, WrappedAsyncStream)

    def _record_start(self) -> None:
        if not self._recorder.is_started:  # Else it follows a response that was requested before.
            self._recorder.record_start()

    def _watch(self, helper: Any, kind: type[WrappedStreamBase]) -> Any:
        self._recorder.record_stream_start()
        stream = getattr(helper, "_raw_stream", helper)
        if not hasattr(stream, kind.next_method):
            return helper
        # A reference: leaving the block before the helper is assigned must not count as abandoning the stream.
        self._stream = kind(stream, self._recorder)
        if stream is helper:
            return self._stream
        helper._raw_stream = self._stream
        return helper
