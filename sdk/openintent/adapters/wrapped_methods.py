"""The methods of a provider's client that send requests to a model, watched."""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .parsing import Dialect
from .request_recorder import Watch
from .sink import Log, logger
from .streams import AsyncStream, Manager, Stream


class Method:
    """A method that answers at once or, if it is asked to, with a stream."""

    def __init__(self, method: Callable[..., Any], dialect: Dialect, log: Log) -> None:
        self.__wrapped__ = method  # Where `inspect.signature` looks.
        self._dialect = dialect
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["__wrapped__"], name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        watch, kwargs = self._watched(kwargs)
        if watch is None:
            return self.__wrapped__(*args, **kwargs)
        if is_asynchronous(self.__wrapped__):
            return self._awaited(watch, args, kwargs)
        return self._called(watch, args, kwargs)

    def _watched(self, kwargs: dict[str, Any]) -> tuple[Watch | None, dict[str, Any]]:
        """A watch, and the arguments to send; none, if these are a surprise."""
        try:
            watch = Watch(self._log, self._dialect, kwargs)
            return watch, watch.prepared(kwargs)
        except Exception as error:
            logger.warning("A request to %s was not understood: %r. It is not logged.", self._log.provider, error)
            self._log.report(error, "reading")
            return None, kwargs

    def _called(self, watch: Watch, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        watch.started()
        try:
            answer = self.__wrapped__(*args, **kwargs)
        except BaseException as error:
            watch.failed(error)
            raise
        return _passed_on(answer, watch)

    async def _awaited(self, watch: Watch, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        watch.started()
        try:
            answer = await self.__wrapped__(*args, **kwargs)
        except BaseException as error:
            watch.failed(error)
            raise
        return _passed_on(answer, watch)


class LazyMethod(Method):
    """A method that answers a generator: the request goes out when the first chunk is asked for."""

    def _called(self, watch: Watch, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return Stream(self.__wrapped__(*args, **kwargs), watch, lazy=True)

    async def _awaited(self, watch: Watch, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        watch.started()
        try:
            return AsyncStream(await self.__wrapped__(*args, **kwargs), watch)
        except BaseException as error:
            watch.failed(error)
            raise


class ManagerMethod(Method):
    """A method that answers a context manager, which sends the request."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        watch, kwargs = self._watched(kwargs)
        manager = self.__wrapped__(*args, **kwargs)
        return manager if watch is None else Manager(manager, watch)


def _passed_on(answer: Any, watch: Watch) -> Any:
    if watch.asked.stream and hasattr(answer, "__next__"):
        watch.stream_opened()
        return Stream(answer, watch)
    if watch.asked.stream and hasattr(answer, "__anext__"):
        watch.stream_opened()
        return AsyncStream(answer, watch)
    watch.answered(answer)
    return answer


def is_asynchronous(method: Callable[..., Any]) -> bool:
    """Whether it has to be awaited. The providers' decorators hide that."""
    return _is_coroutine_function(getattr(method, "__func__", method))


@lru_cache(maxsize=256)
def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(function))
