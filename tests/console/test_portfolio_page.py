"""A portfolio's page: how far it is, what stands in the way, how it ends; closing it."""

import re

import pytest

from tests.conftest import set_status


@pytest.fixture
def launch(api, make_intent):
    """A portfolio of three: one is completed, one active, one blocked by it."""
    done = make_intent(title="Ask customers", status="active")
    set_status(api, done, "completed")
    active = make_intent(title="<script>alert(1)</script>", status="active")
    blocked = make_intent(title="Open the shop", depends_on=[active["id"]])
    policy = {"require_all_completed": True, "shared_constraints": {"budget": 25, "region": "pt"}}
    portfolio = api.post("/portfolios", {"name": "Launch", "governance_policy": policy}).json()
    for priority, intent in enumerate((done, active, blocked)):
        body = {"intent_id": intent["id"], "role": "primary" if intent is active else "member", "priority": priority}
        assert api.post(f"/portfolios/{portfolio['id']}/intents", body).status_code == 201
    api.post(f"/intents/{active['id']}/costs", {"agent_id": "ada", "cost_type": "tokens", "amount": 2.505, "unit": "USD"})
    return portfolio


def page_of(person, portfolio):
    return person("viewer", "vera").get(f"portfolios/portfolio/{portfolio['id']}/change/").text


def test_progress_is_numbers_words_and_a_bar(person, launch):
    page = page_of(person, launch)

    assert "<b>33 %</b>" in page
    for words in ("1 completed", "1 active", "1 blocked"):
        assert words in page
    assert '<rect class="oi-part-completed" x="0.0" width="33.333"' in page


def test_members_what_blocks_the_rules_and_the_costs_are_there_and_escaped(person, launch):
    page = page_of(person, launch)

    assert "Can be completed once all members are completed." in page
    assert "<b>2 members</b> must complete first" in page
    assert "blocked by <a" in page
    assert "priority 2" in page
    assert "$2.5050 <span" in page
    assert "of $25.00" in page
    assert '<code><bdi class="oi-written">pt</bdi></code>' in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_members_say_who_added_them_and_those_beyond_are_in_a_list(person, launch, monkeypatch):
    monkeypatch.setattr("console.portfolios.pages.MAX_MEMBERS", 2)

    page = page_of(person, launch)

    assert re.search(r"added by <a [^>]*>dev-user</a> <span class=.oi-by-key.>via dev-user, dev mode", page)
    assert f'?portfolio={launch["id"]}">View all 3</a>' in page
    assert f'?portfolio={launch["id"]}&amp;status__exact=completed">View all 1</a>' in page


def test_the_list_shows_how_far_each_is(person, launch):
    page = person("viewer", "vera").get("portfolios/portfolio/").text

    assert "<b>33 %</b>" in page
    assert page.count("oi-row-wide") == 1


def test_completing_too_early_says_kindly_what_it_waits_for(person, api, launch):
    told = person("operator").act("portfolios/portfolio", "complete", launch["id"]).text

    assert "Launch: can&#x27;t be completed until these members are: “" in told
    assert "“Open the shop”" in told
    assert api.get(f"/portfolios/{launch['id']}").json()["status"] == "active"


def test_action_redirects_to_the_page_that_sent_it_and_to_no_other_site(person, launch):
    olga, path = person("operator"), f"/admin/portfolios/portfolio/{launch['id']}/change/"
    sent = {"action": "abandon", "_selected_action": [launch["id"]], "confirmed": "yes"}

    assert olga.post("portfolios/portfolio/", {**sent, "back": path}).url == path
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        assert olga.post("portfolios/portfolio/", {**sent, "back": elsewhere}).url.startswith("/admin/")


def test_a_closed_one_offers_nothing(person, api, launch):
    api.patch(f"/portfolios/{launch['id']}/status", {"status": "abandoned"})

    page = person("operator").get(f"portfolios/portfolio/{launch['id']}/change/").text

    assert "oi-verbs" not in page
    assert "can no longer be added or removed" in page


def test_the_page_costs_the_same_queries_whatever_there_is(person, api, launch, make_intent):
    vera, path = person("viewer"), f"portfolios/portfolio/{launch['id']}/change/"
    before = vera.queries(path)

    for number in range(8):
        intent = make_intent(title=f"More {number}", status="blocked")
        api.post(f"/portfolios/{launch['id']}/intents", {"intent_id": intent["id"]})
        api.post(f"/intents/{intent['id']}/costs", {"agent_id": f"a{number}", "cost_type": "x", "amount": 1, "unit": "USD"})

    assert vera.queries(path) == before <= 16
