"""Responses that the provider's package has not parsed: those of `with_raw_response` and `with_streaming_response`."""

from inspect import isawaitable
from typing import Any

from .proxy import ObjectProxy
from .request_recorder import RequestRecorder
from .streams import CLOSE_METHODS, WrappedAsyncStream, WrappedStream


class RawResponse(ObjectProxy):
    """A response that the caller reads: it is recorded when they parse it, or by its body when they close it."""

    def __init__(self, inner: Any, recorder: RequestRecorder) -> None:
        super().__init__(inner)
        self._recorder = recorder
        self._wrapped_stream: Any = None

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if name not in CLOSE_METHODS:
            return found

        def close(*args: Any, **kwargs: Any) -> Any:
            self._record_end()
            return found(*args, **kwargs)

        return close

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        parsed = self._inner.parse(*args, **kwargs)
        return self._parse_async(parsed) if isawaitable(parsed) else self._wrap(parsed)

    async def _parse_async(self, parsed: Any) -> Any:
        return self._wrap(await parsed)

    def _wrap(self, parsed: Any) -> Any:
        """Record what was parsed. A stream is parsed again to the same object."""
        kind = next((each for each in (WrappedStream, WrappedAsyncStream) if hasattr(parsed, each.next_method)), None)
        if kind is None:
            self._record_end()
            return parsed
        if self._wrapped_stream is None:
            self._recorder.record_stream_start()
            self._wrapped_stream = kind(parsed, self._recorder)
        return self._wrapped_stream

    def _record_end(self) -> None:
        if self._wrapped_stream is None:
            self._recorder.record_body(self._inner)
        else:
            self._recorder.record_stream_left("closed before its end")

    def __del__(self) -> None:
        if self._wrapped_stream is None:
            self._record_end()
