"""Completion and abandonment of portfolios (rules P-2, P-4)."""

import pytest

from tests.conftest import log, set_status
from tests.portfolios.conftest import add, close, database_rows, get_portfolio, portfolio_events, remove

pytestmark = pytest.mark.rule("P-2")


@pytest.mark.rule("P-4")
@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_active_portfolio_is_closed_and_logged(api, agent, make_intent, make_portfolio, status):
    portfolio = make_portfolio(make_intent())

    response = close(agent("ada"), portfolio, status, reason="Enough")

    assert response.status_code == 200
    assert response.json() == get_portfolio(api, portfolio)
    assert response.json()["status"] == status
    assert response.json()["updated_at"] > portfolio["updated_at"]
    assert portfolio_events(api, portfolio)[-1] == ("portfolio_status_changed", "ada")
    [event] = api.get("/events", event_type="portfolio_status_changed").json()["events"]
    assert (event["intent_id"], event["portfolio_id"]) == (None, portfolio["id"])
    assert event["payload"] == {"from": "active", "to": status, "reason": "Enough"}


@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_closed_portfolio_stays_closed(api, make_portfolio, status):
    portfolio = make_portfolio()
    close(api, portfolio, status)
    before = database_rows()

    for wanted in {"active", "completed", "abandoned"} - {status}:
        refused = close(api, portfolio, wanted)
        assert (refused.status_code, refused.json()["code"]) == (400, "illegal_transition")
        assert (refused.json()["from"], refused.json()["to"], refused.json()["allowed"]) == (status, wanted, [])
        assert refused.json()["detail"].startswith("A portfolio that is")
    assert close(api, portfolio, status).status_code == 200
    assert database_rows() == before


def test_activating_an_active_portfolio_changes_nothing(api, make_portfolio):
    portfolio = make_portfolio()
    before = database_rows()

    assert close(api, portfolio, "active").json() == portfolio
    assert database_rows() == before


def test_open_members_prevent_completion_if_all_are_required(api, make_intent, make_portfolio):
    done, open_one, given_up = (make_intent(status=status) for status in ("completed", "active", "abandoned"))
    portfolio = make_portfolio(done, open_one, given_up, require_all_completed=True)
    before = database_rows()

    refused = close(api, portfolio)

    assert (refused.status_code, refused.json()["code"]) == (409, "completion_gate")
    assert refused.json()["waiting_for"] == sorted([open_one["id"], given_up["id"]])
    assert database_rows() == before
    set_status(api, open_one, "completed")
    assert close(api, portfolio).json()["waiting_for"] == [given_up["id"]]
    remove(api, portfolio, given_up)
    assert close(api, portfolio).status_code == 200


def test_partial_completion_counts_abandoned_members_as_done(api, make_intent, make_portfolio):
    given_up, open_one = make_intent(status="abandoned"), make_intent()
    portfolio = make_portfolio(given_up, open_one, require_all_completed=True, allow_partial_completion=True)

    assert close(api, portfolio).json()["waiting_for"] == [open_one["id"]]
    set_status(api, open_one, "abandoned")
    assert close(api, portfolio).status_code == 200


def test_open_members_do_not_prevent_abandoning_or_optional_completion(api, make_intent, make_portfolio):
    intent = make_intent()

    assert close(api, make_portfolio(intent)).status_code == 200
    assert close(api, make_portfolio(intent, require_all_completed=True), "abandoned").status_code == 200


# --- by itself -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("P-4")
def test_reached_threshold_completes_the_portfolio_in_the_same_write(api, make_intent, make_portfolio):
    intents = [make_intent() for _ in range(4)]
    portfolio = make_portfolio(*intents, auto_complete_threshold=50)

    set_status(api, intents[0], "completed")
    assert get_portfolio(api, portfolio)["status"] == "active"
    set_status(api, intents[1], "completed")

    now = get_portfolio(api, portfolio)
    assert (now["status"], now["aggregate_status"]["completion_percentage"]) == ("completed", 50)
    assert portfolio_events(api, portfolio)[-1] == ("portfolio_status_changed", "system")
    [event] = api.get("/events", event_type="portfolio_status_changed").json()["events"]
    assert event["payload"] == {"from": "active", "to": "completed", "reason": "auto_complete_threshold"}
    assert api.get("/events", limit=1000).json()["events"][-2]["event_type"] == "status_changed"
    set_status(api, intents[2], "completed")
    assert [kind for kind, _ in portfolio_events(api, portfolio)].count("portfolio_status_changed") == 1


def test_two_of_three_are_less_than_their_rounded_percentage(api, make_intent, make_portfolio):
    intents = [make_intent() for _ in range(3)]
    exact, rounded = (
        make_portfolio(*intents, auto_complete_threshold=66.6),
        make_portfolio(*intents, auto_complete_threshold=66.67),
    )

    for intent in intents[:2]:
        set_status(api, intent, "completed")

    assert (get_portfolio(api, exact)["status"], get_portfolio(api, rounded)["status"]) == ("completed", "active")


def test_every_portfolio_of_an_intent_is_checked(api, make_intent, make_portfolio):
    intent, other = make_intent(), make_intent()
    alone, free = make_portfolio(intent, auto_complete_threshold=100), make_portfolio(intent)
    both, closed = make_portfolio(intent, other, auto_complete_threshold=100), make_portfolio(intent, auto_complete_threshold=100)
    close(api, closed, "abandoned")

    set_status(api, intent, "completed")

    found = [get_portfolio(api, each)["status"] for each in (alone, free, both, closed)]
    assert found == ["completed", "active", "active", "abandoned"]


def test_require_all_completed_overrides_the_threshold(api, make_intent, make_portfolio):
    first, second = make_intent(), make_intent()
    portfolio = make_portfolio(first, second, auto_complete_threshold=50, require_all_completed=True)

    set_status(api, first, "completed")
    assert get_portfolio(api, portfolio)["status"] == "active"
    set_status(api, second, "completed")
    assert get_portfolio(api, portfolio)["status"] == "completed"


def test_abandoning_the_last_open_members_completes_the_portfolio(api, make_intent, make_portfolio):
    """With `cascade`, the member closes as a descendant of the intent whose status is set."""
    first, parent = make_intent(), make_intent()
    child = make_intent(parent_intent_id=parent["id"])
    policy = {"auto_complete_threshold": 50, "require_all_completed": True, "allow_partial_completion": True}
    portfolio = make_portfolio(first, child, **policy)
    set_status(api, first, "completed")
    assert get_portfolio(api, portfolio)["status"] == "active"

    set_status(api, parent, "abandoned", cascade=True)

    assert get_portfolio(api, portfolio)["status"] == "completed"
    assert log(api, child)[-1] == ("status_changed", "dev-user")


def test_adding_a_completed_member_can_reach_the_threshold(api, make_intent, make_portfolio):
    open_one, done = make_intent(), make_intent(status="completed")
    portfolio = make_portfolio(open_one, auto_complete_threshold=50)

    assert add(api, portfolio, done).status_code == 201

    assert get_portfolio(api, portfolio)["status"] == "completed"
    assert portfolio_events(api, portfolio)[-2:] == [("added_to_portfolio", "dev-user"), ("portfolio_status_changed", "system")]


def test_removing_an_open_member_can_reach_the_threshold(api, make_intent, make_portfolio):
    open_one, done = make_intent(), make_intent(status="completed")
    portfolio = make_portfolio(open_one, done, auto_complete_threshold=80)

    remove(api, portfolio, open_one)

    assert get_portfolio(api, portfolio)["status"] == "completed"


def test_removing_the_last_member_completes_nothing(api, make_intent, make_portfolio):
    intent = make_intent()
    portfolio = make_portfolio(intent, auto_complete_threshold=1)

    remove(api, portfolio, intent)

    assert get_portfolio(api, portfolio)["status"] == "active"


def test_new_policy_can_reach_the_threshold(api, make_intent, make_portfolio):
    portfolio = make_portfolio(make_intent(), make_intent(status="completed"))
    path = f"/portfolios/{portfolio['id']}"

    assert api.patch(path, {"governance_policy": {"auto_complete_threshold": 51}}).json()["status"] == "active"
    assert api.patch(path, {"governance_policy": {"auto_complete_threshold": 50}}).json()["status"] == "completed"
    assert portfolio_events(api, portfolio)[-1] == ("portfolio_status_changed", "system")
