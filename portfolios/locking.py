"""Intents locked together with the portfolios that may complete by them: the portfolios first, or two verbs would wait in a circle."""

from collections.abc import Callable
from uuid import UUID

from core.db import has_single_writer, rollback_point
from intents.models import Intent
from portfolios.models import Portfolio


def lock_with_portfolios(reach: Callable[[], tuple[set[UUID], set[UUID]]]) -> tuple[dict[UUID, Intent], list[Portfolio]]:
    """Lock the intents that `reach` names, and before them the portfolios that may complete when some of those close.

    `reach` answers the intents that close, and all that this concerns. It begins anew while others still add to either. Few
    portfolios complete by themselves, so they are looked for once the intents are locked: from then on nobody adds an intent
    to a portfolio, or gives a threshold to the portfolio of one, so this ends soon.
    """
    if has_single_writer():
        closing, concerned = reach()
        return Intent.objects.lock_all(concerned), Portfolio.objects.lock_all(Portfolio.objects.completable_by(closing))
    portfolio_ids: set[UUID] = set()
    closing, concerned = reach()
    while True:
        with rollback_point() as retract:
            portfolios = Portfolio.objects.lock_all(portfolio_ids)
            intents = Intent.objects.lock_all(concerned)
            closing, wanted = reach()
            needed = Portfolio.objects.completable_by(closing)
            if wanted <= concerned and needed <= portfolio_ids:
                return intents, portfolios
            retract()
        concerned, portfolio_ids = wanted, portfolio_ids | needed
