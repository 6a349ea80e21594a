"""The base class of agents: start, work, stop."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from functools import partial, wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from .._environment import connection_arguments
from .._parameters import Id
from .._wait_for_decision import answer_of
from ..client import OpenIntentClient
from ..enums import EventType, IntentStatus
from ..errors import ConflictError, InputValidationError
from ._assignment import Assignment
from ._assignment_state import QUESTION
from ._decorators import PORTFOLIO_KINDS, declared_triggers
from ._event_handlers import EventHandler, answer_handlers
from ._handler_arguments import Arguments, Handler, check_parameters, with_arguments
from ._handler_runner import HandlerRunner
from ._options import AgentConfig, Settings
from ._results import as_done
from ._runtime import AgentRuntime
from ._signals import stop_on_signals

if TYPE_CHECKING:
    from .._async_lease import AsyncHeldLease
    from ..aio import AsyncOpenIntentClient

P = ParamSpec("P")
T = TypeVar("T")

_current: ContextVar[Assignment | None] = ContextVar("assignment", default=None)

log = logging.getLogger("openintent.agents")


class class_or_instance_method(Generic[P, T]):
    """Descriptor of a method that can also be called on the class: then on a new instance, created without arguments."""

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, agent: object, owner: Callable[[], object]) -> Callable[P, T]:
        @wraps(self._method)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return self._method(owner() if agent is None else agent, *args, **kwargs)

        return call


class BaseAgent:
    """Base class of the classes under `@Agent`. Inherit from it explicitly so that type checkers know `client`, `run` and the rest.

    @Agent("research-agent")
    class ResearchAgent(BaseAgent):
        @on_assignment
        def research(self, intent: Intent) -> dict[str, str]:
            self.client.log_event(intent.id, "comment", {"text": "Starting"})
            return {"findings": f"All about {intent.title}"}
    """

    agent_id: str | None = None
    """The agent's id: from `@Agent`, else from `start`, else from OPENINTENT_AGENT_ID."""

    settings: Settings = Settings()
    """The options."""

    config: AgentConfig | None = None
    """The server's address and key, unless `start` gets them."""

    _runtime: AgentRuntime | None = None
    _is_foreground = False
    """Whether it was started by `run` or `arun`."""

    def __init__(self, base_url: str | None = None, api_key: str | None = None, config: AgentConfig | None = None) -> None:
        """Set the server's address and key, unless `start` gets them. A class with an `__init__` of its own need not call this."""
        if base_url or api_key or config:
            given = config or self.config or AgentConfig()
            self.config = replace(given, base_url=base_url or given.base_url, api_key=api_key or given.api_key)

    def __init_subclass__(cls, **options: Any) -> None:
        """Raise TypeError for a handler with a parameter that no argument belongs to."""
        super().__init_subclass__(**options)
        for name, trigger in declared_triggers(cls):
            handler = getattr(cls, name)
            if inspect.isfunction(inspect.getattr_static(cls, name)):
                handler = partial(handler, None)  # Its `self`.
            check_parameters(trigger.kind, handler, f"{cls.__name__}.{name}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.agent_id!r})"

    @property
    def client(self) -> OpenIntentClient:
        """The agent's client. Within a handler of an assignment, its writes to that intent succeed only as long as the handler
        holds the assignment (protocol L-4). Raises RuntimeError if the agent is not started."""
        assignment = _current.get()
        return assignment.client if assignment else self._require_runtime().client

    @property
    def async_client(self) -> "AsyncOpenIntentClient":
        """The asynchronous client, for handlers that are `async def`. It needs the extra `async`."""
        assignment = _current.get()
        return assignment.async_client if assignment else self._require_runtime().async_client()

    @property
    def position(self) -> int | None:
        """The position to pass as `after` to resume from here; some events may then come again. None unless the agent runs."""
        return self._runtime.position if self._runtime else None

    @property
    def is_stopping(self) -> bool:
        """Whether the agent is to stop. A long-running handler may check it, and end before `drain_seconds` are over."""
        return self._runtime is not None and self._runtime.stopping.is_set()

    @class_or_instance_method
    def run(
        self: Any,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        agent_id: str | None = None,
        after: int | None = None,
    ) -> None:
        """Work until SIGTERM or SIGINT. `ResearchAgent.run()` and `ResearchAgent().run()` are the same.

        The first signal stops the agent: nothing new is started, and running handlers have `drain_seconds` to end before they are
        cancelled and their leases released. A second signal ends the process at once. If logging is not configured, the agent's
        log is printed on stderr. The arguments are those of `start`.

        Raises what `start` raises, and AuthenticationError when the key is revoked meanwhile.
        """
        if not log.hasHandlers():  # A silent program seems to do nothing.
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
            log.addHandler(handler)
            log.setLevel(logging.INFO)
        runtime = self._prepare(base_url, api_key, agent_id)
        self._is_foreground = True
        with stop_on_signals(runtime.stop_soon):
            self._start_runtime(after)
            self.wait()

    @class_or_instance_method
    async def arun(
        self: Any,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        agent_id: str | None = None,
        after: int | None = None,
    ) -> None:
        """Work until `stop` is called or the task is cancelled. Handlers that are `async def` run in this event loop.

        The arguments and exceptions are those of `start`. Signals are left to the program.
        """
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        runtime = self._prepare(base_url, api_key, agent_id, loop)
        self._is_foreground = True
        runtime.on_stop(lambda: loop.call_soon_threadsafe(stopped.set))
        try:
            await asyncio.to_thread(self._start_runtime, after)
            await stopped.wait()
        finally:
            runtime.stop_soon()
            await asyncio.shield(asyncio.to_thread(self._wait, runtime))

    def start(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        agent_id: str | None = None,
        after: int | None = None,
    ) -> Self:
        """Start working in the background, until `stop`; also as `with agent.start(…):`.

        Returns once the agent is listening; waits for a server that is down.

        base_url, api_key  the server and the key; the default is OPENINTENT_URL and OPENINTENT_API_KEY, or else a server
                           in dev mode on this machine
        agent_id           the agent's id, instead of the one from `@Agent`
        after              the position from which methods for events resume: a `position` that you have stored. By default they
                           are called for events from now on. Assignments need none: open ones are found

        Raises AuthenticationError, PermissionDeniedError, InputValidationError; RuntimeError if it is started already.
        """
        self._prepare(base_url, api_key, agent_id)
        self._is_foreground = False
        self._start_runtime(after)
        return self

    def stop(self) -> None:
        """Start nothing more, and return when running handlers have ended, or were cancelled after `drain_seconds`.

        In a handler, and in an event loop, it returns at once. Idempotent.
        """
        if runtime := self._runtime:
            runtime.stop()
            self._forget(runtime)

    def wait(self) -> None:
        """Wait until the agent has stopped. Raises the error that has stopped it, such as AuthenticationError."""
        self._wait(self._require_runtime())

    def __enter__(self) -> Self:
        return self if self._runtime else self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    async def patch_state(self, intent_id: Id, updates: Mapping[str, Any]) -> None:
        """Set keys of an intent's state, at whatever version it has. Raises what `update_state` raises, but for version conflicts."""
        while True:  # Each conflict means that another writer succeeded, so this ends.
            intent = await self.async_client.get_intent(intent_id)
            try:
                await self.async_client.update_state(intent.id, intent.version, updates)
                return
            except ConflictError as error:
                if error.code != "version_conflict":
                    raise

    async def complete_intent(self, intent_id: Id, final_state: Mapping[str, Any] | None = None) -> None:
        """Set keys of an intent's state, if any, and complete it, at whatever version it has. Raises what `set_status` raises."""
        if final_state:
            await self.patch_state(intent_id, final_state)
        while True:
            intent = await self.async_client.get_intent(intent_id)
            try:
                await self.async_client.set_status(intent.id, intent.version, IntentStatus.COMPLETED)
                return
            except ConflictError as error:
                if error.code != "version_conflict":
                    raise

    async def log(self, intent_id: Id, message: str, **data: Any) -> None:
        """Log a comment: `{"message": message, **data}`."""
        await self.async_client.log_event(intent_id, EventType.COMMENT, {"message": message, **data})

    def lease(self, intent_id: Id, scope: str, duration_seconds: int = 300) -> "AsyncHeldLease":
        """Hold a lease during an `async with` block, as `async_client.lease` does."""
        return self.async_client.lease(intent_id, scope, duration_seconds)

    def _wait(self, runtime: AgentRuntime) -> None:
        runtime.stopping.wait()
        runtime.stop()
        self._forget(runtime)
        if runtime.failure:
            raise runtime.failure

    def _forget(self, runtime: AgentRuntime) -> None:
        """Allow another start, unless a handler that has stopped the agent still runs."""
        if runtime.has_ended and self._runtime is runtime:
            self._runtime = None

    def _require_runtime(self) -> AgentRuntime:
        if self._runtime is None:
            raise RuntimeError(f"{type(self).__name__} is not started.")
        return self._runtime

    def _prepare(
        self,
        base_url: str | None,
        api_key: str | None,
        agent_id: str | None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> AgentRuntime:
        if self._runtime:
            raise RuntimeError(f"{type(self).__name__} is started already.")
        config = self.config or AgentConfig()
        connection = connection_arguments(base_url or config.base_url, api_key or config.api_key, agent_id or self.agent_id)
        if not connection["agent_id"]:
            raise InputValidationError('an agent needs an id: @Agent("research-agent")', field="agent_id")
        self.agent_id = connection["agent_id"]
        handlers = self._handlers()
        assigned = [each for each in handlers if each.trigger.kind == "on_assignment"]
        if len(assigned) > 1:
            raise TypeError(f"{type(self).__name__} has {len(assigned)} methods under @on_assignment; it can have one")
        answers = answer_handlers(handlers)
        if answers and not assigned:
            raise TypeError(f"@on_answer needs a method under @on_assignment, which asks; {type(self).__name__} has none")
        self._check_triggers({each.trigger.kind for each in handlers})
        runner = HandlerRunner(loop, self.settings.time_limit_seconds)
        handle = partial(self._handle_assignment, runner, assigned[0].method, answers) if assigned else None
        event_handlers = [each for each in handlers if each.trigger.types]
        takes_answer = (lambda name: name in answers or None in answers) if answers else None
        self._runtime = AgentRuntime(connection, self.settings, handle, event_handlers, runner, self, takes_answer)
        return self._runtime

    def _handlers(self) -> list[EventHandler]:
        """Return its handlers, with what they are called for."""
        return [EventHandler(trigger, getattr(self, name)) for name, trigger in declared_triggers(type(self))]

    def _handle_assignment(
        self, runner: HandlerRunner, handler: Handler, answers: Mapping[str | None, Handler], assignment: Assignment
    ) -> object:
        """Call the handler, or that of the answer, with the assignment's client as `self.client`."""
        kind, question = "on_assignment", assignment.question
        if question:
            name = question.context[QUESTION]["name"]
            kind, handler = "on_answer", answers[name if name in answers else None]
        token = _current.set(assignment)
        arguments: Arguments = {
            "intent": lambda: assignment.intent,
            "assignment": lambda: assignment,
            "question": lambda: question,
            "answer": lambda: question and answer_of(question),
            "event": lambda: assignment.event,
            "lease": lambda: assignment.lease,
            "scope": lambda: assignment.lease.scope,
            "agent": lambda: self,
            "client": lambda: assignment.client,
        }
        try:
            call = with_arguments(kind, handler, arguments)
            done = as_done(runner.call(call, started=lambda future: assignment._on_cancel(future.cancel)))
            completes = self.settings.auto_complete and (self.config is None or self.config.auto_complete)
            return done if completes else replace(done, complete=False)
        finally:
            _current.reset(token)

    def _start_runtime(self, after: int | None) -> None:
        runtime = self._require_runtime()
        try:
            self._connect(runtime, after)
        except BaseException:
            runtime.stop()
            self._forget(runtime)
            raise

    def _connect(self, runtime: AgentRuntime, after: int | None) -> None:
        runtime.start(after)

    def _check_triggers(self, kinds: set[str]) -> None:
        """Raise TypeError for an agent that would do nothing, or with a method that would never be called."""
        if misplaced := kinds & PORTFOLIO_KINDS:
            raise TypeError(f"@{min(misplaced)} needs a Coordinator, which {type(self).__name__} is not")
        if not kinds:
            raise TypeError(f"{type(self).__name__} has nothing to do: no method has a decorator such as @on_assignment")
