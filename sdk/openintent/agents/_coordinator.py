"""An agent that has others do the work."""

from .._stream import EventStream
from ..enums import EventType
from ..models import Event, Portfolio
from ._base import BaseAgent
from ._decorators import declared
from ._portfolio_setup import begin, close, fill, is_built, is_complete, is_over, set_mark, unfinished, was_told
from ._runtime import Running
from ._specs import PortfolioSpec

TURNING = frozenset(
    {
        EventType.STATUS_CHANGED,
        EventType.PORTFOLIO_STATUS_CHANGED,
        EventType.ADDED_TO_PORTFOLIO,
        EventType.REMOVED_FROM_PORTFOLIO,
    }
)
"""After these a portfolio may be further than before."""


class Coordinator(BaseAgent):
    """An agent that hands out a portfolio of intents to other agents, and follows how they come along.

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

    When it starts, the portfolio is made, once: a coordinator that is started again finds it by its name, adds what the description
    has in addition, and goes on following it. `create` makes others, in a handler of an assignment, say.

    `on_all_complete` and `on_progress` are about its portfolios. The decorators of other agents work as well; those for events also
    hear of the portfolios' members, whoever is assigned to them. A coordinator is one process: two with one id make a portfolio once,
    but both follow it, and both may be told that it is complete.
    """

    portfolio: PortfolioSpec | None = None
    """What is made when it starts, if anything."""

    _followed: dict[str, "_Follower"] | None = None

    def create(self, spec: PortfolioSpec) -> Portfolio:
        """Make the portfolio, unless it is there, and follow it. In an `async def`, call it by `asyncio.to_thread`.

        Raises ConflictError `portfolio_closed` where one that is completed would have to be added to; ValidationError.
        """
        return self._create(self._started(), spec, None)

    def _check(self, kinds: set[str]) -> None:
        """A coordinator has enough to do with its portfolio."""

    def _connect(self, running: Running, after: int | None) -> None:
        self._followed = {}
        super()._connect(running, after)
        for each in running.ask(lambda: unfinished(running.client, running.agent_id)):
            self._follow(running, each, after)
        if self.portfolio:
            self._create(running, self.portfolio, after)

    def _create(self, running: Running, spec: PortfolioSpec, after: int | None) -> Portfolio:
        """Whoever is handed a member of it works at once: it is followed before."""
        begun = running.ask(lambda: begin(running.client, running.agent_id, spec))
        follower = self._follow(running, begun, after)
        made = running.ask(lambda: fill(running.client, begun, spec))
        if follower:
            follower.look()
        return made

    def _follow(self, running: Running, portfolio: Portfolio, after: int | None) -> "_Follower | None":
        """Hear of it until it is over. Again does nothing. None: nothing is left to be told."""
        if was_told(portfolio):
            return None
        followed = self._followed if self._followed is not None else {}
        follower = _Follower(self, running, portfolio.id)
        known = followed.setdefault(portfolio.id, follower)
        if known is follower:
            follower.begin(after)
        return known


class _Follower:
    """Tells the coordinator's methods how far a portfolio is, one after the other with its other handlers."""

    def __init__(self, coordinator: Coordinator, running: Running, portfolio_id: str) -> None:
        self._coordinator = coordinator
        self._running = running
        self._portfolio_id = portfolio_id
        self._counts: dict[str, int] | None = None
        self._stream: EventStream | None = None

    def begin(self, after: int | None) -> None:
        self._stream = self._running.follow(self._hear, portfolio_id=self._portfolio_id, after=after)
        self.look()

    def look(self) -> None:
        """Tell what has changed, in its turn."""
        self._running.reactions.call(self._look)

    def _hear(self, event: Event) -> None:
        self._running.reactions.hear(event)
        if event.event_type in TURNING:
            self.look()

    def _look(self) -> None:
        portfolio = self._running.ask(lambda: self._running.client.get_portfolio(self._portfolio_id))
        if is_built(portfolio) and portfolio.aggregate_status.by_status != self._counts:
            self._counts = portfolio.aggregate_status.by_status
            self._tell("on_progress", portfolio)
        if is_complete(portfolio) and not was_told(portfolio):
            self._tell("on_all_complete", portfolio)
            self._running.ask(lambda: set_mark(self._running.client, portfolio.id, told=True))
            self._running.ask(lambda: close(self._running.client, portfolio))
        if is_over(portfolio) and self._stream:
            self._stream.close()

    def _tell(self, kind: str, portfolio: Portfolio) -> None:
        for name, calling in declared(type(self._coordinator)):
            if calling.kind == kind:
                self._running.caller.call(getattr(self._coordinator, name), portfolio)
