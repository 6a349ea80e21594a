"""Portfolios in the console: shown, and closed by verbs."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from tests.portfolios.conftest import get_portfolio, portfolio_events

PAGE = "/admin/portfolios/portfolio/"


@pytest.fixture
def person(db):
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def act(person, action, *portfolios):
    with transaction.atomic():  # A test is one transaction: what a refusal undoes must end at its own request.
        chosen = {"action": action, "confirmed": "yes", "_selected_action": [each["id"] for each in portfolios]}
        return person.post(PAGE, chosen, follow=True)


def test_portfolios_are_listed(person, make_portfolio):
    make_portfolio(name="Paris Trip")

    assert "Paris Trip" in person.get(PAGE).text


@pytest.mark.rule("P-4")
@pytest.mark.parametrize(("action", "status"), [("complete", "completed"), ("abandon", "abandoned")])
def test_closing_in_the_console_has_the_person_as_actor(person, api, make_portfolio, action, status):
    portfolio = make_portfolio()

    assert f"{status.title()}: Paris." in act(person, action, portfolio).text

    assert get_portfolio(api, portfolio)["status"] == status
    assert portfolio_events(api, portfolio)[-1] == ("portfolio_status_changed", "user:grace")


@pytest.mark.rule("P-2")
def test_refusal_is_shown_and_the_others_are_closed(person, api, make_intent, make_portfolio):
    gated, free = make_portfolio(make_intent(), require_all_completed=True), make_portfolio(name="Rome")

    page = act(person, "complete", gated, free).text

    assert "until these members are" in page
    assert (get_portfolio(api, gated)["status"], get_portfolio(api, free)["status"]) == ("active", "completed")
