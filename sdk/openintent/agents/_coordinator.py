"""Coordinators: agents that assign a portfolio of intents to other agents."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, cast

from .._stream import EventStream
from ..client import OpenIntentClient
from ..enums import EventType, PortfolioStatus
from ..errors import ConflictError
from ..models import Event, Portfolio
from ..validation import validate_agent_id, validate_header
from ._base_agent import BaseAgent
from ._decorators import declared_triggers
from ._handler_arguments import Arguments, with_arguments
from ._options import AgentConfig
from ._portfolio_setup import (
    add_missing_members,
    complete_portfolio,
    create,
    find,
    is_built,
    is_complete,
    is_reported,
    list_unfinished,
    update_mark,
)
from ._runtime import AgentRuntime
from ._specs import PortfolioSpec

EXECUTE_INTERVAL = 0.5
"""Seconds between two looks at a portfolio that `execute` waits for."""

log = logging.getLogger("openintent.agents")

PROGRESS_EVENTS = frozenset(
    {
        EventType.STATUS_CHANGED,
        EventType.PORTFOLIO_STATUS_CHANGED,
        EventType.ADDED_TO_PORTFOLIO,
        EventType.REMOVED_FROM_PORTFOLIO,
    }
)
"""Events that can change a portfolio's progress."""


class Coordinator(BaseAgent):
    """An agent that assigns a portfolio of intents to other agents, and follows their progress.

        @Agent("travel-coordinator")
        class Trip(Coordinator):
            portfolio = PortfolioSpec(
                "Paris Trip 2024",
                [
                    IntentSpec("Book flights", assign="flights"),
                    IntentSpec("Book hotel", assign="hotels", depends_on=["Book flights"]),
                ],
            )

            @on_all_complete
            def celebrate(self, portfolio):
                print(portfolio.name, "is booked")

    When it starts, the portfolio is created, once: a coordinator that is restarted finds it by its name, adds the members that are
    missing, and continues to follow it. `create` creates further ones, for example in a handler of an assignment.

    `on_all_complete` and `on_progress` are about its portfolios. The decorators of other agents work as well; those for events
    also cover the portfolios' members, whichever agents are assigned, and the methods for the progress come after those for the
    events before it.
    A coordinator is one process: two with one id create a portfolio once, but both follow it, and the methods of both may be called
    when it is complete.

    `run` and `arun` return once its `portfolio` has ended, also when that was before they began, unless a method handles assignments.
    """

    portfolio: PortfolioSpec | None = None
    """The portfolio that is created when the coordinator starts, if any."""

    _monitors: dict[str, "_PortfolioMonitor"] | None = None

    def __init__(
        self,
        agent_id: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        config: AgentConfig | None = None,
    ) -> None:
        """Set the id, and the server's address and key, unless `start` gets them. Raises InputValidationError."""
        super().__init__(base_url, api_key, config)
        if agent_id is not None:
            validate_header(agent_id, "agent_id")
            validate_agent_id(agent_id)
            self.agent_id = agent_id

    def __call__(self, cls: type) -> type["Coordinator"]:
        """Return the class as a coordinator of this id: `@Coordinator("editor")` is `@Agent("editor")` on one."""
        attributes = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
        made: Any = cls if issubclass(cls, Coordinator) else type(cls.__name__, (cls, Coordinator), attributes)
        made.agent_id, made.config = self.agent_id, self.config
        return cast(type[Coordinator], made)

    def create(self, spec: PortfolioSpec) -> Portfolio:
        """Create the portfolio unless it exists, and follow it. In an `async def`, call it by `asyncio.to_thread`.

        Raises ConflictError `portfolio_closed` if members are missing in one that is completed; ValidationError.
        """
        return self._create(self._require_runtime(), spec, None)

    async def create_portfolio(self, spec: PortfolioSpec) -> Portfolio:
        """Create the portfolio unless it exists, and follow it, like `create`, in a coroutine."""
        return await asyncio.to_thread(self.create, spec)

    async def execute(self, spec: PortfolioSpec) -> dict[str, dict[str, Any]]:
        """Create the portfolio unless it exists, wait until all its members are closed, and return their states by title.

        A coordinator that is not started runs meanwhile. Raises what `start` and `create` raise, and ConflictError
        `portfolio_abandoned`.
        """
        started = None if self._runtime else await asyncio.to_thread(self.start)
        try:
            found = await self.create_portfolio(spec)
            client, portfolio_id = self.client, found.id
            while not is_reported(found):
                if found.status == PortfolioStatus.ABANDONED:
                    raise ConflictError(f"The portfolio {spec.name!r} was abandoned.", code="portfolio_abandoned")
                await asyncio.sleep(EXECUTE_INTERVAL)
                found = await asyncio.to_thread(self._require_runtime().retry, lambda: client.get_portfolio(portfolio_id))
            members = await asyncio.to_thread(client.get_portfolio_intents, portfolio_id)
            return {each.title: each.state for each in members}
        finally:
            if started:
                await asyncio.to_thread(started.stop)

    def _check_triggers(self, kinds: set[str]) -> None:
        """Accept any triggers, even none: a coordinator has its portfolio."""

    def _connect(self, runtime: AgentRuntime, after: int | None) -> None:
        self._monitors = {}
        super()._connect(runtime, after)
        for each in runtime.retry(lambda: list_unfinished(runtime.client, runtime.agent_id)):
            self._monitor(runtime, each, after)
        if self.portfolio:
            portfolio = self._create(runtime, self.portfolio, after)
            if is_reported(portfolio) or portfolio.status == PortfolioStatus.ABANDONED:
                self._end(runtime, portfolio)

    def _end(self, runtime: AgentRuntime, portfolio: Portfolio) -> None:
        """Log that the portfolio has ended, and stop an agent in the foreground that has nothing else to do."""
        log.info("The portfolio %r of %s is %s", portfolio.name, runtime.agent_id, portfolio.status)
        is_own = self.portfolio is not None and self.portfolio.name == portfolio.name
        if is_own and self._is_foreground and not any(each.trigger.kind == "on_assignment" for each in self._handlers()):
            runtime.stop_soon()

    def _create(self, runtime: AgentRuntime, spec: PortfolioSpec, after: int | None) -> Portfolio:
        client, agent_id = runtime.client, runtime.agent_id
        found = runtime.retry(lambda: find(client, agent_id, spec))
        if found is None:
            after = runtime.retry(lambda: _newest_position(client))  # Agents of members begin before it can be followed.
        portfolio = found or runtime.retry(lambda: create(client, agent_id, spec))
        monitor = self._monitor(runtime, portfolio, after)
        complete = runtime.retry(lambda: add_missing_members(client, portfolio, spec))
        if monitor:
            monitor.check_soon()
        return complete

    def _monitor(self, runtime: AgentRuntime, portfolio: Portfolio, after: int | None) -> "_PortfolioMonitor | None":
        """Follow the portfolio until it has ended. Return None if its completion was reported. Idempotent."""
        if is_reported(portfolio):
            return None
        monitors = self._monitors if self._monitors is not None else {}
        monitor = _PortfolioMonitor(self, runtime, portfolio.id)
        known = monitors.setdefault(portfolio.id, monitor)
        if known is monitor:
            monitor.start(after)
        return known


class _PortfolioMonitor:
    """Calls the coordinator's methods with a portfolio's progress, in turn with its other handlers."""

    def __init__(self, coordinator: Coordinator, runtime: AgentRuntime, portfolio_id: str) -> None:
        self._coordinator = coordinator
        self._runtime = runtime
        self._portfolio_id = portfolio_id
        self._counts: dict[str, int] | None = None
        self._stream: EventStream | None = None
        self._position = 0
        self._end: int | None = None

    def start(self, after: int | None) -> None:
        """Follow the portfolio's events."""

        def handle_event(event: Event) -> None:
            self._runtime.dispatcher.dispatch(event)
            self._runtime.dispatcher.enqueue(lambda: self._check_after(event))

        client, retry = self._runtime.client, self._runtime.retry
        self._position = retry(lambda: _newest_position(client)) if after is None else after
        self._stream = self._runtime.follow(handle_event, portfolio_id=self._portfolio_id, after=self._position)
        self.check_soon()

    def check_soon(self) -> None:
        """Queue a check of the portfolio's progress."""
        self._runtime.dispatcher.enqueue(self._check)

    def _check_after(self, event: Event) -> None:
        """Check the progress, once the handlers of the event were called, if it can have changed it or was waited for."""
        is_awaited = self._end is not None and self._position < self._end
        self._position = event.position or self._position
        if is_awaited or event.event_type in PROGRESS_EVENTS:
            self._check()

    def _check(self) -> None:
        """Call the methods for what has changed, and complete the portfolio once all members are closed."""
        client, retry = self._runtime.client, self._runtime.retry
        portfolio = retry(lambda: client.get_portfolio(self._portfolio_id))
        if self._position < retry(lambda: _newest_position(client, self._portfolio_id, PROGRESS_EVENTS)):
            return  # The portfolio is ahead of the stream: another check comes with the event, after its handlers.
        if is_built(portfolio) and portfolio.aggregate_status.by_status != self._counts:
            self._counts = portfolio.aggregate_status.by_status
            self._call_handlers("on_progress", portfolio)
        if is_complete(portfolio) and not is_reported(portfolio):
            if self._end is None:  # Later events are not waited for: they may never end.
                self._end = retry(lambda: _newest_position(client, self._portfolio_id))
            if self._position < self._end:
                return
            self._call_handlers("on_all_complete", portfolio)
            retry(lambda: update_mark(client, portfolio.id, told=True))
            retry(lambda: complete_portfolio(client, portfolio))
            portfolio = retry(lambda: client.get_portfolio(self._portfolio_id))
        has_ended = is_complete(portfolio) or portfolio.status != PortfolioStatus.ACTIVE
        if has_ended and self._stream:
            self._stream.close()
            self._stream = None
            self._coordinator._end(self._runtime, portfolio)

    def _call_handlers(self, kind: str, portfolio: Portfolio) -> None:
        arguments: Arguments = {
            "portfolio": lambda: portfolio,
            "agent": lambda: self._coordinator,
            "client": lambda: self._runtime.client,
        }
        for name, trigger in declared_triggers(type(self._coordinator)):
            if trigger.kind == kind:
                self._runtime.runner.call(with_arguments(kind, getattr(self._coordinator, name), arguments))


def _newest_position(client: OpenIntentClient, portfolio_id: str | None = None, types: Iterable[str] = ()) -> int:
    newest = client.list_events(portfolio_id=portfolio_id, event_type=",".join(sorted(types)) or None, order="desc", limit=1)
    return (newest[0].position or 0) if newest else 0
