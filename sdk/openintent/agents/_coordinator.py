"""An agent that has others do the work."""

from ..enums import EventType, IntentStatus, PortfolioStatus
from ..errors import ConflictError
from ..models import Event, Portfolio
from ._base import BaseAgent, log
from ._building import build, is_built, mark_of, set_mark
from ._declaring import declared
from ._patience import patiently
from ._running import Running
from ._specs import PortfolioSpec

NEWEST = 100
"""Completed portfolios that a coordinator looks at when it starts: one of them may have been completed while it was away."""

TURNING = frozenset(
    {
        EventType.STATUS_CHANGED,
        EventType.PORTFOLIO_STATUS_CHANGED,
        EventType.ADDED_TO_PORTFOLIO,
        EventType.REMOVED_FROM_PORTFOLIO,
    }
)


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
    but both follow it, and may both be told that it is complete.
    """

    portfolio: PortfolioSpec | None = None
    """What is made when it starts, if anything."""

    def create(self, spec: PortfolioSpec) -> Portfolio:
        """Make the portfolio, unless it is there, and follow it. In an `async def`, call it by `asyncio.to_thread`.

        Raises ConflictError `portfolio_closed` where a portfolio that is completed would have to be added to; ValidationError.
        """
        running = self._started()
        made = patiently(lambda: build(running.client, running.agent_id, spec), running.stopping)
        self._follow(running, made)
        return made

    def _begin(self, after: int | None) -> None:
        super()._begin(after)
        running = self._started()
        for each in patiently(lambda: _unfinished(running), running.stopping):
            self._follow(running, each)
        if self.portfolio:
            self.create(self.portfolio)

    def _follow(self, running: Running, portfolio: Portfolio) -> None:
        """Hear of it until it is over. Again does nothing."""
        followed = vars(self).setdefault("_followed", {})
        if portfolio.id in followed or mark_of(portfolio).get("told"):
            return
        followed[portfolio.id] = None

        def look() -> None:
            if self._look(running, portfolio.id):
                stream.close()

        def hear(event: Event) -> None:
            running.reactions.hear(event)
            if event.event_type in TURNING:
                running.reactions.call(look)

        stream = running.follow(hear, portfolio_id=portfolio.id)
        running.reactions.call(look)

    def _look(self, running: Running, portfolio_id: str) -> bool:
        """Call what wants to know how far the portfolio is. Answers whether it is over."""
        portfolio = patiently(lambda: running.client.get_portfolio(portfolio_id), running.stopping)
        followed = vars(self)["_followed"]
        if portfolio.aggregate_status.by_status != followed[portfolio_id]:
            followed[portfolio_id] = portfolio.aggregate_status.by_status
            self._tell(running, "on_progress", portfolio)
        if is_complete(portfolio) and not mark_of(portfolio).get("told"):
            self._tell(running, "on_all_complete", portfolio)
            patiently(lambda: set_mark(running.client, portfolio_id, told=True), running.stopping)
            patiently(lambda: _close(running, portfolio), running.stopping)
        return portfolio.status != PortfolioStatus.ACTIVE or is_complete(portfolio)

    def _tell(self, running: Running, kind: str, portfolio: Portfolio) -> None:
        for name, calling in declared(type(self)):
            if calling.kind == kind:
                running.caller.call(getattr(self, name), portfolio)


def is_complete(portfolio: Portfolio) -> bool:
    """Whether it is completed, or all of its members are, those left out that may be abandoned (protocol P-2)."""
    if portfolio.status == PortfolioStatus.COMPLETED:
        return True
    statuses = {each.status for each in portfolio.intents}
    if portfolio.governance_policy.get("allow_partial_completion"):
        statuses.discard(IntentStatus.ABANDONED)
    return is_built(portfolio) and statuses == {IntentStatus.COMPLETED}


def _unfinished(running: Running) -> list[Portfolio]:
    """Those that this coordinator has made and has not told of."""
    active = running.client.list_portfolios(created_by=running.agent_id, status=PortfolioStatus.ACTIVE)
    newest = running.client.list_portfolios(created_by=running.agent_id, status=PortfolioStatus.COMPLETED, limit=NEWEST)
    return [each for each in (*active, *newest) if is_built(each) and not mark_of(each).get("told")]


def _close(running: Running, portfolio: Portfolio) -> None:
    """Complete it, if its policy lets it be completed."""
    try:
        running.client.update_portfolio_status(portfolio.id, PortfolioStatus.COMPLETED, "all its members are completed")
    except ConflictError as error:
        log.warning("The portfolio %r cannot be completed: %s", portfolio.name, error)
