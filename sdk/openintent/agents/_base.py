"""What every agent is: something that is started, works, and is stopped."""

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial, wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from .._environment import connection
from ..client import OpenIntentClient
from ..errors import InputValidationError
from ._assignment import Assignment
from ._decorators import PORTFOLIO_KINDS, declared
from ._event_handlers import Reaction
from ._handler_runner import Caller, Handler
from ._options import Settings
from ._runtime import Running
from ._signals import stopped_by_signals

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient

P = ParamSpec("P")
T = TypeVar("T")

_current: ContextVar[Assignment | None] = ContextVar("assignment", default=None)

log = logging.getLogger("openintent.agents")


class on_new_instance(Generic[P, T]):
    """A method that may be called on the class as well: on a new instance then, made without arguments."""

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, agent: object, owner: Callable[[], object]) -> Callable[P, T]:
        @wraps(self._method)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return self._method(owner() if agent is None else agent, *args, **kwargs)

        return call


class BaseAgent:
    """What `@Agent` makes of a class. Inherit from it where a type checker is to know `client`, `run` and the rest.

    @Agent("research-agent")
    class ResearchAgent(BaseAgent):
        @on_assignment
        def research(self, intent: Intent) -> dict[str, str]:
            self.client.log_event(intent.id, "comment", {"text": "Here I go"})
            return {"findings": f"All about {intent.title}"}
    """

    agent_id: str | None = None
    """Who it is: as `@Agent` says, or else where it was started, or else OPENINTENT_AGENT_ID."""

    settings: Settings = Settings()
    """Its options."""

    _running: Running | None = None

    @property
    def client(self) -> OpenIntentClient:
        """The agent's client. Within a handler of an assignment, its writes to that intent succeed only as long as the assignment
        is the handler's (protocol L-4). Raises RuntimeError if the agent is not started."""
        assignment = _current.get()
        return assignment.client if assignment else self._started().client

    @property
    def async_client(self) -> "AsyncOpenIntentClient":
        """The same with coroutines, for handlers that are `async def`. It needs the extra `async`."""
        assignment = _current.get()
        return assignment.async_client if assignment else self._started().async_client()

    @property
    def position(self) -> int | None:
        """How far it has heard: what to pass as `after` to hear on from there, and some events again, perhaps. None unless it runs."""
        return self._running.position if self._running else None

    @property
    def is_stopping(self) -> bool:
        """Whether the agent is to stop. A handler that takes long may look, and end before `drain_seconds` are over."""
        return self._running is not None and self._running.stopping.is_set()

    @on_new_instance
    def run(
        self: Any,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        agent_id: str | None = None,
        after: int | None = None,
    ) -> None:
        """Work until SIGTERM or SIGINT. `ResearchAgent.run()` and `ResearchAgent().run()` are the same.

        At the first signal nothing is begun any more; handlers that run have `drain_seconds` to end, then they are cancelled and
        their leases released. A second signal ends the process at once. Where nothing is set up for logging, what happens is
        shown on stderr. The arguments are those of `start`.

        Raises what `start` raises, and AuthenticationError when the key is revoked meanwhile.
        """
        _show_log()
        running = self._prepare(base_url, api_key, agent_id)
        with stopped_by_signals(running.stop_soon):
            self._begin(after)
            self.wait()

    @on_new_instance
    async def arun(
        self: Any,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        agent_id: str | None = None,
        after: int | None = None,
    ) -> None:
        """Work until `stop` is called or the task is cancelled. Handlers that are `async def` run in this event loop.

        The arguments are those of `start`, and so is what it raises. Signals are left to the program.
        """
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        running = self._prepare(base_url, api_key, agent_id, loop)
        running.on_stop(lambda: loop.call_soon_threadsafe(stopped.set))
        try:
            await asyncio.to_thread(self._begin, after)
            await stopped.wait()
        finally:
            running.stop_soon()
            await asyncio.shield(asyncio.to_thread(self._wait, running))

    def start(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        agent_id: str | None = None,
        after: int | None = None,
    ) -> Self:
        """Work in the background, until `stop`; also as `with agent.start(…):`. Returns once it listens, and waits for a server that is away.

        base_url, api_key  the server and the key; by default OPENINTENT_URL and OPENINTENT_API_KEY say it, or else it is a server
                           in dev mode on this machine
        agent_id           who it is, instead of what `@Agent` says
        after              the position from which methods other than those for assignments are to hear: `position`, which you
                           have kept. By default they hear what happens from now on. Assignments need none: what is open is found

        Raises AuthenticationError, PermissionDeniedError, InputValidationError; RuntimeError if it is started already.
        """
        self._prepare(base_url, api_key, agent_id)
        self._begin(after)
        return self

    def stop(self) -> None:
        """Begin nothing any more, and return when handlers have ended, or were cancelled after `drain_seconds`.

        In a handler, and in an event loop, it returns at once. An agent that is not running stays as it is.
        """
        if running := self._running:
            running.stop()
            self._forget(running)

    def wait(self) -> None:
        """Return when the agent has been stopped. Raises what has ended it otherwise, as AuthenticationError."""
        self._wait(self._started())

    def __enter__(self) -> Self:
        return self if self._running else self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _wait(self, running: Running) -> None:
        running.stopping.wait()
        running.stop()
        self._forget(running)
        if running.failure:
            raise running.failure

    def _forget(self, running: Running) -> None:
        """The agent may be started again, unless one of its handlers has stopped it and is still at it."""
        if running.has_ended and self._running is running:
            self._running = None

    def _started(self) -> Running:
        if self._running is None:
            raise RuntimeError(f"{type(self).__name__} is not started.")
        return self._running

    def _prepare(
        self,
        base_url: str | None,
        api_key: str | None,
        agent_id: str | None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> Running:
        if self._running:
            raise RuntimeError(f"{type(self).__name__} is started already.")
        found = connection(base_url, api_key, agent_id or self.agent_id)
        if not found["agent_id"]:
            raise InputValidationError('an agent needs an id: @Agent("research-agent")', field="agent_id")
        self.agent_id = found["agent_id"]
        assigned, reactions = self._handlers()
        caller = Caller(loop)
        handle = assigned and partial(_handle, caller, assigned)
        self._running = Running(found, self.settings, handle, reactions, caller)
        return self._running

    def _begin(self, after: int | None) -> None:
        running = self._started()
        try:
            self._connect(running, after)
        except BaseException:
            running.stop()
            self._forget(running)
            raise

    def _connect(self, running: Running, after: int | None) -> None:
        running.start(after)

    def _handlers(self) -> tuple[Handler | None, list[Reaction]]:
        """The handler of assignments, if there is one, and the others."""
        found = declared(type(self))
        assigned = [getattr(self, name) for name, calling in found if calling.kind == "on_assignment"]
        if len(assigned) > 1:
            raise TypeError(f"{type(self).__name__} has {len(assigned)} methods for @on_assignment; it can have one")
        reactions = [Reaction(calling, getattr(self, name)) for name, calling in found if calling.types]
        self._check({calling.kind for _, calling in found})
        return (assigned[0] if assigned else None), reactions

    def _check(self, kinds: set[str]) -> None:
        """Raises TypeError for an agent that would do nothing, or never be told what it waits for."""
        if unheard := kinds & PORTFOLIO_KINDS:
            raise TypeError(f"{type(self).__name__} is no Coordinator, which it takes for @{min(unheard)}")
        if not kinds:
            raise TypeError(f"{type(self).__name__} has nothing to do: no method has a decorator such as @on_assignment")


def _handle(caller: Caller, handler: Handler, assignment: Assignment) -> object:
    """Call the handler, with `self.client` for it alone."""
    token = _current.set(assignment)
    try:
        return caller.call(handler, assignment.intent, assignment, started=lambda future: assignment._on_cancel(future.cancel))
    finally:
        _current.reset(token)


def _show_log() -> None:
    """Where nobody has said what is to become of the log, show it: a program that says nothing seems to do nothing."""
    if not log.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
