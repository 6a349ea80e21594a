"""Wrapped methods of a provider's client: those that send requests to a model."""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from .parsing import Dialect
from .proxy import PatchableProxy
from .raw_responses import RawResponse
from .request_recorder import RequestRecorder
from .sink import EventSink, logger
from .streams import StreamManager, WrappedAsyncStream, WrappedStream, WrappedStreamBase

RAW_HEADER = "X-Stainless-Raw-Response"
"""The header by which `with_raw_response` and `with_streaming_response` ask for a response that is not parsed."""


class WrappedMethod(PatchableProxy):
    """A method that returns a response or, if the request asks for it, a stream."""

    _own = frozenset({"_inner", "_dialect", "_sink", "__doc__"})

    def __init__(self, method: Callable[..., Any], dialect: Dialect, sink: EventSink) -> None:
        super().__init__(method)
        self._dialect = dialect
        self._sink = sink
        self.__doc__ = method.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder, kwargs = self._create_recorder(kwargs)
        if recorder is None:
            return self._inner(*args, **kwargs)
        if is_async(self._inner):
            return self._call_async(recorder, args, kwargs)
        recorder.record_start()
        try:
            answer = self._inner(*args, **kwargs)
        except BaseException as error:
            recorder.record_failure(error)
            raise
        return _wrap_answer(answer, recorder, kwargs, WrappedStream)

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
            answer = await self._inner(*args, **kwargs)
        except BaseException as error:
            recorder.record_failure(error)
            raise
        return _wrap_answer(answer, recorder, kwargs, WrappedAsyncStream)


class WrappedGeneratorMethod(WrappedMethod):
    """A method that returns a generator: the request is sent when the first chunk is requested."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder, kwargs = self._create_recorder(kwargs)
        if recorder is None:
            return self._inner(*args, **kwargs)
        if is_async(self._inner):
            return self._call_async(recorder, args, kwargs)
        return WrappedStream(self._inner(*args, **kwargs), recorder, lazy=True)

    async def _call_async(self, recorder: RequestRecorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        recorder.record_start()
        try:
            return WrappedAsyncStream(await self._inner(*args, **kwargs), recorder)
        except BaseException as error:
            recorder.record_failure(error)
            raise


class WrappedManagerMethod(WrappedMethod):
    """A method that returns a context manager, which sends the request. With `response_id` it follows one of the background."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(response_id := kwargs.get("response_id"), str):
            recorder = self._sink.queue.unfinished.get(response_id)
        else:
            recorder, kwargs = self._create_recorder(kwargs)
        manager = self._inner(*args, **kwargs)
        return manager if recorder is None else StreamManager(manager, recorder)


class WrappedRetrieval(WrappedMethod):
    """A method that returns the response of an earlier request, which is recorded when it is finished, once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        answer = self._inner(*args, **kwargs)
        if inspect.isawaitable(answer):
            return self._retrieve_async(answer, args, kwargs)
        return self._wrap(answer, args, kwargs, WrappedStream)

    async def _retrieve_async(self, answer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._wrap(await answer, args, kwargs, WrappedAsyncStream)

    def _wrap(self, answer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], kind: type[WrappedStreamBase]) -> Any:
        response_id = args[0] if args else kwargs.get("response_id")
        recorder = self._sink.queue.unfinished.get(response_id) if isinstance(response_id, str) else None
        return answer if recorder is None else _wrap_answer(answer, recorder, kwargs, kind)


def _wrap_answer(answer: Any, recorder: RequestRecorder, kwargs: Mapping[str, Any], kind: type[WrappedStreamBase]) -> Any:
    headers = kwargs.get("extra_headers")
    is_stream = recorder.request.stream or kwargs.get("stream") is True
    if isinstance(headers, Mapping) and RAW_HEADER in headers:
        if is_stream or headers[RAW_HEADER] == "stream":
            return RawResponse(answer, recorder)
        recorder.record_body(answer)
    elif is_stream and hasattr(answer, kind.next_method):
        recorder.record_stream_start()
        return kind(answer, recorder)
    else:
        recorder.record_response(answer)
    return answer


def is_async(method: Callable[..., Any]) -> bool:
    """Return whether the method must be awaited, also if the provider's decorators hide that."""
    return _is_coroutine_function(getattr(method, "__func__", method))


@lru_cache(maxsize=256)
def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(function))
