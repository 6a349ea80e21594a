"""Wrapped streams of providers: iteration is recorded, everything else is the provider's own object."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from .proxy import ObjectProxy
from .request_recorder import RequestRecorder

H = TypeVar("H", bound="WrappedStreamBase")

CLOSE_METHODS = {"close", "aclose"}
CONSUMING = ("get_final_", "until_done")
"""Prefixes of the stream helpers' methods that read to the end."""


class RecordedProxy(ObjectProxy):
    """A proxy of a stream, or of its context manager. Only the methods that the provider's object has are used."""

    def __init__(self, inner: Any, recorder: RequestRecorder) -> None:
        super().__init__(inner)
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name not in CLOSE_METHODS:
            return found

        def close(*args: Any, **kwargs: Any) -> Any:
            self._record_left()
            return found(*args, **kwargs)

        return close

    def _record_left(self, error: BaseException | None = None) -> None:
        self._recorder.record_stream_left(f"{type(error).__name__} in the block" if error else "closed before its end")

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

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    def __del__(self) -> None:
        self._recorder.record_stream_left("abandoned")


class WrappedStream(WrappedStreamBase):
    """A synchronous stream. `lazy`: the request is sent when the first chunk is requested."""

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
                self._recorder.record_stream_end()
                raise
            except BaseException as error:
                self._recorder.record_stream_error(error)
                raise
            if self._recorder.record_chunk(chunk):
                return chunk


class WrappedAsyncStream(WrappedStreamBase):
    """An asynchronous stream."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while True:
            try:
                chunk = await self._inner.__anext__()
            except StopAsyncIteration:
                self._recorder.record_stream_end()
                raise
            except BaseException as error:
                self._recorder.record_stream_error(error)
                raise
            if self._recorder.record_chunk(chunk):
                return chunk


class StreamHelper(WrappedStream):
    """The object that `.stream()` of OpenAI and Anthropic gives to a `with` block: it has methods that read to the end."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name == "text_stream":
            return (event.delta.text for event in self if _is_text(event))
        return partial(self._consume, found) if name.startswith(CONSUMING) else found

    def _consume(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        for _ in self:
            pass
        return method(*args, **kwargs)


class AsyncStreamHelper(WrappedAsyncStream):
    """The object that an asynchronous `.stream()` gives to an `async with` block."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name == "text_stream":
            return (event.delta.text async for event in self if _is_text(event))
        return partial(self._consume, found) if name.startswith(CONSUMING) else found

    async def _consume(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async for _ in self:
            pass
        return await method(*args, **kwargs)


class StreamManager(RecordedProxy):
    """The context manager that `.stream()` returns: entering the block sends the request."""

    _helper: Any = None

    def __enter__(self) -> StreamHelper:
        self._recorder.record_start()
        try:
            helper = StreamHelper(self._inner.__enter__(), self._recorder)
        except BaseException as error:
            self._recorder.record_failure(error)
            raise
        return self._keep(helper)

    async def __aenter__(self) -> AsyncStreamHelper:
        self._recorder.record_start()
        try:
            helper = AsyncStreamHelper(await self._inner.__aenter__(), self._recorder)
        except BaseException as error:
            self._recorder.record_failure(error)
            raise
        return self._keep(helper)

    def _keep(self, helper: H) -> H:
        self._recorder.record_stream_start()
        self._helper = helper  # A reference: leaving the block before the helper is assigned must not count as abandoning it.
        return helper


def _is_text(event: Any) -> bool:
    return bool(event.type == "content_block_delta" and event.delta.type == "text_delta")
