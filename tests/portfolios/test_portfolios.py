"""Creating, reading, listing and updating portfolios."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portfolios.models import Portfolio
from tests.conftest import fresh, set_status
from tests.portfolios.conftest import add, close, get_portfolio, portfolio_events

POLICY = {"require_all_completed": True, "shared_constraints": {"budget": 5000}}


def test_portfolio_is_created_as_given_and_logged(agent, api):
    body = {"name": " Paris Trip ", "description": "All of it", "governance_policy": POLICY, "metadata": {"year": 2027}}

    response = agent("ada").post("/portfolios", body)

    assert response.status_code == 201
    portfolio = response.json()
    assert response.headers["Location"] == f"/api/v1/portfolios/{portfolio['id']}"
    assert (portfolio["name"], portfolio["description"], portfolio["status"]) == ("Paris Trip", "All of it", "active")
    assert (portfolio["governance_policy"], portfolio["metadata"], portfolio["created_by"]) == (POLICY, {"year": 2027}, "ada")
    assert (portfolio["intents"], portfolio["created_at"]) == ([], portfolio["updated_at"])
    assert portfolio["aggregate_status"] == {
        "total": 0,
        "by_status": dict.fromkeys(["draft", "pending", "active", "blocked", "completed", "abandoned"], 0),
        "completion_percentage": 100,
        "blocking_intents": [],
        "ready_intents": [],
    }
    assert get_portfolio(api, portfolio) == portfolio
    [event] = api.get("/events", event_type="portfolio_created").json()["events"]
    assert (event["portfolio_id"], event["intent_id"], event["sequence"]) == (portfolio["id"], None, None)
    assert (event["actor"], event["payload"]["name"], event["payload"]["governance_policy"]) == ("ada", "Paris Trip", POLICY)


def test_omitted_fields_are_empty(api):
    portfolio = api.post("/portfolios", {"name": "Paris", "created_by": "bob"}).json()

    assert (portfolio["description"], portfolio["governance_policy"], portfolio["metadata"]) == (None, {}, {})
    assert portfolio["created_by"] == "bob"


def test_members_are_ordered_by_priority_then_age_with_their_progress(api, make_intent, make_portfolio):
    done, passport = make_intent(title="Done", status="completed"), make_intent(title="Passport")
    flight, hotel = make_intent(title="Flight", depends_on=[passport["id"]]), make_intent(title="Hotel")
    portfolio = make_portfolio()
    add(api, portfolio, flight, priority=5)
    add(api, portfolio, done, priority=-1)
    add(api, portfolio, hotel, priority=5, role="primary")

    found = get_portfolio(api, portfolio)

    assert found["intents"] == [
        {**fresh(api, flight), "role": "member", "priority": 5},
        {**fresh(api, hotel), "role": "primary", "priority": 5},
        {**fresh(api, done), "role": "member", "priority": -1},
    ]
    how_far = found["aggregate_status"]
    assert (how_far["total"], how_far["completion_percentage"]) == (3, 33.33)
    assert {name: count for name, count in how_far["by_status"].items() if count} == {"blocked": 1, "draft": 1, "completed": 1}
    assert (how_far["blocking_intents"], how_far["ready_intents"]) == ([flight["id"]], [hotel["id"]])


def test_lists_have_the_same_bodies_and_filters(api, agent, make_intent, make_portfolio):
    intent = make_intent()
    first, second = make_portfolio(intent), make_portfolio(intent, name="Rome")
    agent("ada").post("/portfolios", {"name": "Ada's"})
    close(api, second, "abandoned")
    first, second = get_portfolio(api, first), get_portfolio(api, second)

    assert [each["name"] for each in api.get("/portfolios").json()["portfolios"]] == ["Ada's", "Rome", "Paris"]
    assert api.get("/portfolios", status="abandoned").json() == {"portfolios": [second], "next": None}
    assert api.get("/portfolios", created_by="dev-user", status="active").json()["portfolios"] == [first]
    assert api.get(f"/intents/{intent['id']}/portfolios").json() == {"portfolios": [first, second], "next": None}


def test_pages_of_portfolios_and_members_are_complete(api, make_intent, make_portfolio):
    intents = [make_intent() for _ in range(5)]
    portfolio = make_portfolio()
    for number, intent in enumerate(intents):
        add(api, portfolio, intent, priority=number % 2)
    others = [make_portfolio(name=str(number)) for number in range(2)]

    assert [each["id"] for each in walk(api, f"/portfolios/{portfolio['id']}/intents", "intents")] == [
        intents[number]["id"] for number in (1, 3, 0, 2, 4)
    ]
    assert [each["id"] for each in walk(api, "/portfolios", "portfolios")] == [
        each["id"] for each in (others[1], others[0], portfolio)
    ]


def walk(api, path, name):
    found, query = [], {"limit": 2}
    while True:
        body = api.get(path, **query).json()
        assert len(body[name]) <= 2
        found += body[name]
        if body["next"] is None:
            return found
        query["cursor"] = body["next"]


def test_thousand_members_cost_no_more_queries_than_one(api, make_intent, make_portfolio):
    few, many = make_portfolio(make_intent()), make_portfolio()
    for _ in range(30):
        add(api, many, make_intent(depends_on=[make_intent()["id"]]))

    assert queries(api, f"/portfolios/{few['id']}") == queries(api, f"/portfolios/{many['id']}") <= 6
    assert queries(api, "/portfolios", limit=1) == queries(api, "/portfolios", limit=2) <= 6


def queries(api, path, **query):
    api.get(path, **query)
    with CaptureQueriesContext(connection) as captured:
        assert api.get(path, **query).status_code == 200
    return len([each for each in captured if "SAVEPOINT" not in each["sql"]])


@pytest.mark.rule("P-4")
@pytest.mark.case("coordination O2", "security L8")
def test_details_change_and_the_log_has_previous_values(api, agent, make_portfolio):
    portfolio = make_portfolio(shared_constraints={"budget": 1})
    before = portfolio_events(api, portfolio)

    response = api.patch(f"/portfolios/{portfolio['id']}", {"name": "Rome", "description": None, "metadata": {"a": 1}})

    assert response.status_code == 200
    now = get_portfolio(api, portfolio)
    assert response.json() == now
    assert (now["name"], now["description"], now["metadata"]) == ("Rome", None, {"a": 1})
    assert now["governance_policy"] == portfolio["governance_policy"]
    assert now["updated_at"] > portfolio["updated_at"]
    assert (now["version"], response.headers["ETag"]) == (2, '"2"')
    assert portfolio_events(api, portfolio) == [*before, ("portfolio_updated", "dev-user")]
    [event] = api.get("/events", event_type="portfolio_updated").json()["events"]
    assert (event["intent_id"], event["portfolio_id"]) == (None, portfolio["id"])
    assert event["payload"] == {
        "changes": {"name": "Rome", "metadata": {"a": 1}},
        "previous": {"name": "Paris", "metadata": {}},
        "version": 2,
    }


@pytest.mark.rule("P-2")
def test_threshold_column_equals_the_policy(api, make_portfolio):
    portfolio = make_portfolio(auto_complete_threshold=66.5)
    path = f"/portfolios/{portfolio['id']}"

    assert Portfolio.objects.get().auto_complete_threshold == 66.5
    api.patch(path, {"name": "Rome"})
    assert Portfolio.objects.get().auto_complete_threshold == 66.5
    api.patch(path, {"governance_policy": {}})
    assert Portfolio.objects.get().auto_complete_threshold is None


def test_portfolio_is_read_while_intents_close(api, make_intent, make_portfolio):
    """The status of a member is read from the intent, and not copied."""
    intent = make_intent()
    portfolio = make_portfolio(intent)

    set_status(api, intent, "completed")

    assert get_portfolio(api, portfolio)["aggregate_status"]["completion_percentage"] == 100
    assert get_portfolio(api, portfolio)["status"] == "active"
