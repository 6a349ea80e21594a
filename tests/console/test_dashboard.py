"""The home page: what waits, what is about to happen, what is wrong; each number with the list behind it."""

import re
from random import Random

import pytest
from django.contrib.auth.models import User

from access.roles import filter_live_sessions
from console.demo import bulk, scenario
from intents.models import Intent
from tests.conftest import set_status


@pytest.fixture
def told(db, settings, tmp_path, monkeypatch):
    """The example's story."""
    settings.STORAGES = {
        **settings.STORAGES,
        "attachments": {**settings.STORAGES["attachments"], "OPTIONS": {"location": tmp_path}},
    }
    monkeypatch.setattr(bulk, "SAMPLES", 1)
    scenario.create_scenario()


def test_an_empty_console_says_how_to_begin(person):
    page = person("operator").get("").text

    assert "curl -X POST http://testserver/api/v1/intents" in page
    assert "openintent-manage demo --live" in page


def test_person_without_a_role_sees_how_to_get_one(person):
    nora = person(None, "nora")
    User.objects.update(is_staff=True)

    assert "createoperator nora --role viewer" in nora.get("").text
    assert nora.get("home/").status_code == 403


def test_dashboard_lists_questions_as_the_inbox_does(person, told):
    page = person("viewer").get("").text

    titles = re.findall(r'oi-question-title"[^>]*>([^<]*)', page)
    assert [title[:12] for title in titles] == ["Roll back re", "May I name t", "The second c", "Should price"]
    assert "Blocks work" in page
    assert "blocked by <a" in page
    assert "pending decision: Roll back release 2481" in page


def test_each_number_is_that_of_the_list_it_leads_to(person, told):
    grace = person("viewer")
    page = grace.get("").text
    figures = re.findall(r'<li><a href="/admin/([^"]*)"[^>]*><b>(\d+)</b>', page)
    assert len(figures) == 5

    for path, number in figures:
        shown = grace.client.get(f"/admin/{path.replace('&amp;', '&')}").context["cl"].result_count
        assert (path, shown) == (path, int(number))


def test_spending_of_today_and_budgets_are_exact(person, told):
    page = person("viewer").get("").text

    assert "<b>$51.72</b> spent today" in page
    assert re.search(r"\$10\.15 <span[^>]*>of \$10\.00", page)
    assert "2 exceeded" in page


def test_a_closed_intent_s_budget_bothers_nobody(api, person, make_intent):
    intent = make_intent(title="Small", status="active", constraints={"max_cost": 1})
    api.post(f"/intents/{intent['id']}/costs", {"agent_id": "dev-user", "cost_type": "tokens", "amount": 0.9, "unit": "USD"})
    grace = person("viewer")
    assert "$0.90" in grace.get("").text

    set_status(api, intent, "completed")

    assert "No budgets near their limit" in grace.get("").text


def test_the_page_costs_the_same_queries_whatever_there_is(person, told):
    grace = person("viewer")
    grace.get("home/")
    before = grace.queries("home/")

    bulk.fill(240, Random(1))
    for intent in Intent.objects.filter(status="active")[:3]:
        scenario._ask(intent.pk, "agent", "Which?", [("a", ""), ("b", "")])

    assert grace.queries("home/") == before
    assert before <= 24


def test_the_panels_come_alone_and_are_kept_by_nobody(person, told):
    panels = person("viewer").get("home/")

    assert "<html" not in panels.text
    assert "no-store" in panels.headers["Cache-Control"]
    assert "data-row" in panels.text


# --- the stream ------------------------------------------------------------------------------------------------------


def test_a_stream_is_for_who_is_signed_in_and_may_look(client, person, make_intent):
    intent = make_intent()
    assert client.get("/admin/follow").status_code == 401
    assert person(None, "nora").get("follow").status_code == 403

    vera = person("viewer", "vera")
    ticket = vera.get("follow", {"intent": intent["id"]}).json()
    assert (ticket["session"], ticket["topics"]) == (vera.client.session.session_key, [f"intent:{intent['id']}"])
    assert vera.get("follow", {"intent": "nonsense"}).status_code == 404
    assert vera.client.post("/admin/follow").status_code == 405


@pytest.mark.parametrize("ends", ["signed out", "left", "without a role", "a new password"])
def test_a_session_s_stream_lives_as_long_as_its_person_may_look(person, ends):
    vera, other = person("viewer", "vera"), person("viewer", "otto")
    keys = [vera.client.session.session_key, other.client.session.session_key]
    assert filter_live_sessions(keys) == {*keys}

    match ends:
        case "signed out":
            vera.client.logout()
        case "left":
            User.objects.filter(username="vera").update(is_active=False)
        case "without a role":
            vera.user.groups.clear()
        case _:
            vera.user.set_unusable_password()
            vera.user.save()

    assert filter_live_sessions(keys) == {keys[1]}
