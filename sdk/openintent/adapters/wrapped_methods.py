"""Wrapped methods of a provider's client: those that send requests to a model."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .parsing import Dialect
from .request_recorder import RequestRecorder
from .sink import EventSink, logger
from .streams import StreamManager, WrappedAsyncStream, WrappedStream


class WrappedMethod:
    """A method that returns a response or, if the request asks for it, a stream."""

    def __init__(self, method: Callable[..., Any], dialect: Dialect, sink: EventSink) -> None:
        self.__wrapped__ = method  # `inspect.signature` uses it.
        self._dialect = dialect
        self._sink = sink

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["__wrapped__"], name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder, kwargs = self._create_recorder(kwargs)
        if recorder is None:
            return self.__wrapped__(*args, **kwargs)
        if is_async(self.__wrapped__):
            return self._call_async(recorder, args, kwargs)
        recorder.record_start()
        try:
            answer = self.__wrapped__(*args, **kwargs)
        except BaseException as error:
            recorder.record_failure(error)
            raise
        return _wrap_answer(answer, recorder)

    def _create_recorder(self, kwargs: dict[str, Any]) -> tuple[RequestRecorder | None, dict[str, Any]]:
        """Return a recorder, None if the arguments cannot be parsed, and the arguments to send."""
        try:
            recorder = RequestRecorder(self._sink, self._dialect, kwargs)
            return recorder, recorder.prepare(kwargs)
        except Exception as error:
            logger.warning("A request to %s could not be parsed: %r. It is not logged.", self._sink.provider, error)
            self._sink.report(error, "reading")
            return None, kwargs

    async def _call_async(self, recorder: RequestRecorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        recorder.record_start()
        try:
            answer = await self.__wrapped__(*args, **kwargs)
        except BaseException as error:
            recorder.record_failure(error)
            raise
        return _wrap_answer(answer, recorder)


class WrappedGeneratorMethod(WrappedMethod):
    """A method that returns a generator: the request is sent when the first chunk is requested."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder, kwargs = self._create_recorder(kwargs)
        if recorder is None:
            return self.__wrapped__(*args, **kwargs)
        if is_async(self.__wrapped__):
            return self._call_async(recorder, args, kwargs)
        return WrappedStream(self.__wrapped__(*args, **kwargs), recorder, lazy=True)

    async def _call_async(self, recorder: RequestRecorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        recorder.record_start()
        try:
            return WrappedAsyncStream(await self.__wrapped__(*args, **kwargs), recorder)
        except BaseException as error:
            recorder.record_failure(error)
            raise


class WrappedManagerMethod(WrappedMethod):
    """A method that returns a context manager, which sends the request."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder, kwargs = self._create_recorder(kwargs)
        manager = self.__wrapped__(*args, **kwargs)
        return manager if recorder is None else StreamManager(manager, recorder)


def _wrap_answer(answer: Any, recorder: RequestRecorder) -> Any:
    if recorder.request.stream and hasattr(answer, "__next__"):
        recorder.record_stream_start()
        return WrappedStream(answer, recorder)
    if recorder.request.stream and hasattr(answer, "__anext__"):
        recorder.record_stream_start()
        return WrappedAsyncStream(answer, recorder)
    recorder.record_response(answer)
    return answer


def is_async(method: Callable[..., Any]) -> bool:
    """Return whether the method must be awaited, also if the provider's decorators hide that."""
    return _is_coroutine_function(getattr(method, "__func__", method))


@lru_cache(maxsize=256)
def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(function))
