"""`manage.py verify_log` on a database with portfolios (rule E-6)."""

import pytest

from intents.log_verification import verify
from tests.conftest import set_status
from tests.portfolios.conftest import close, remove


@pytest.mark.rule("E-6")
def test_portfolio_events_are_no_findings(api, make_intent, make_portfolio):
    first, second = make_intent(), make_intent()
    portfolio = make_portfolio(first, second, auto_complete_threshold=100)
    make_portfolio(first)
    remove(api, portfolio, second)
    set_status(api, first, "completed")
    close(api, make_portfolio(second), "abandoned")

    assert list(verify()) == []
