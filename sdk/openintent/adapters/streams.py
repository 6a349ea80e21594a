"""Streams of providers, watched: what iterates over one goes through here, everything else reaches the provider's own object."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Any, Self

from .proxy import StandIn
from .request_recorder import Watch

CLOSING = {"close", "aclose"}
CONSUMING = ("get_final_", "until_done")
"""How those methods of the helpers begin that read to the end."""


class Watched(StandIn):
    """Stands for a stream, or for what makes one. Of its methods those serve whose like the provider's object has."""

    def __init__(self, inner: Any, watch: Watch) -> None:
        super().__init__(inner)
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        return partial(self._close, found) if name in CLOSING else found

    def _close(self, close: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._left()
        return close(*args, **kwargs)

    def _left(self, error: BaseException | None = None) -> None:
        self._watch.stream_left(f"{type(error).__name__} in the block" if error else "closed before its end")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._left(error)
        handled: bool | None = self._inner.__exit__(kind, error, traceback)
        return handled

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._left(error)
        handled: bool | None = await self._inner.__aexit__(kind, error, traceback)
        return handled


class WatchedStream(Watched):
    """What both kinds of streams share."""

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    def __del__(self) -> None:
        self._watch.stream_left("abandoned")


class Stream(WatchedStream):
    """A stream to iterate over. `lazy`: the request goes out when the first chunk is asked for."""

    def __init__(self, inner: Any, watch: Watch, *, lazy: bool = False) -> None:
        super().__init__(inner, watch)
        self._next = self._first if lazy else inner.__next__

    def _first(self) -> Any:
        self._watch.started()
        self._next = self._inner.__next__
        return self._next()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        while True:
            try:
                chunk = self._next()
            except StopIteration:
                self._watch.stream_ended()
                raise
            except BaseException as error:
                self._watch.stream_broke(error)
                raise
            if self._watch.take(chunk):
                return chunk


class AsyncStream(WatchedStream):
    """The same, asynchronous."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while True:
            try:
                chunk = await self._inner.__anext__()
            except StopAsyncIteration:
                self._watch.stream_ended()
                raise
            except BaseException as error:
                self._watch.stream_broke(error)
                raise
            if self._watch.take(chunk):
                return chunk


class Helper(Stream):
    """What `.stream()` of OpenAI and Anthropic gives to a `with` block: it can also read by itself."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name == "text_stream":
            return (event.delta.text for event in self if _is_text(event))
        return partial(self._then, found) if name.startswith(CONSUMING) else found

    def _then(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        for _ in self:
            pass
        return method(*args, **kwargs)


class AsyncHelper(AsyncStream):
    """The same, asynchronous."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name == "text_stream":
            return (event.delta.text async for event in self if _is_text(event))
        return partial(self._then, found) if name.startswith(CONSUMING) else found

    async def _then(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async for _ in self:
            pass
        return await method(*args, **kwargs)


class Manager(Watched):
    """What `.stream()` answers: a `with` or `async with` block sends the request."""

    _helper: Any = None

    def __enter__(self) -> Helper:
        self._watch.started()
        try:
            helper = Helper(self._inner.__enter__(), self._watch)
        except BaseException as error:
            self._watch.failed(error)
            raise
        self._entered(helper)
        return helper

    async def __aenter__(self) -> AsyncHelper:
        self._watch.started()
        try:
            helper = AsyncHelper(await self._inner.__aenter__(), self._watch)
        except BaseException as error:
            self._watch.failed(error)
            raise
        self._entered(helper)
        return helper

    def _entered(self, helper: Any) -> None:
        self._watch.stream_opened()
        self._helper = helper  # Who leaves the block before having it in hand has not abandoned it.


def _is_text(event: Any) -> bool:
    return bool(event.type == "content_block_delta" and event.delta.type == "text_delta")
