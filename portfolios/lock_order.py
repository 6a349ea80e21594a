"""Lock order of portfolios and intents: the portfolios first, or two verbs could wait for each other."""

from collections.abc import Callable
from uuid import UUID

from core.db import has_single_writer, rollback_point
from intents.models import Intent
from portfolios.models import Portfolio


def lock_with_portfolios(find_affected: Callable[[], tuple[set[UUID], set[UUID]]]) -> tuple[dict[UUID, Intent], list[Portfolio]]:
    """Lock the affected intents, and before them the portfolios that may complete when some of those close.

    `find_affected` returns the intents that close, and all that this affects. It is repeated while other writers add to
    either. Few portfolios complete automatically, so they are searched once the intents are locked: from then on no intent is
    added to a portfolio, and no threshold is set on the portfolio of one, so the loop ends soon.
    """
    if has_single_writer():
        closing, affected = find_affected()
        return Intent.objects.lock_all(affected), Portfolio.objects.lock_all(Portfolio.objects.completable_by(closing))
    portfolio_ids: set[UUID] = set()
    closing, affected = find_affected()
    while True:
        with rollback_point() as retract:
            portfolios = Portfolio.objects.lock_all(portfolio_ids)
            intents = Intent.objects.lock_all(affected)
            closing, required = find_affected()
            completable = Portfolio.objects.completable_by(closing)
            if required <= affected and completable <= portfolio_ids:
                return intents, portfolios
            retract()
        affected, portfolio_ids = required, portfolio_ids | completable
