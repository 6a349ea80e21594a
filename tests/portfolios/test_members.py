"""Memberships of intents in portfolios (rules P-1, P-4)."""

import pytest

from portfolios.models import Membership
from tests.conftest import fresh, log
from tests.portfolios.conftest import add, close, database_rows, get_portfolio, remove


@pytest.mark.rule("P-4")
def test_membership_changes_are_events_that_name_the_portfolio(api, agent, make_intent, make_portfolio):
    intent, portfolio = make_intent(), make_portfolio()

    added = add(agent("ada"), portfolio, intent, role="primary", priority=100)

    assert added.status_code == 201
    assert added.json() == {**fresh(api, intent), "role": "primary", "priority": 100}
    assert (fresh(api, intent)["version"], Membership.objects.get().added_by) == (1, "ada")
    assert remove(agent("bob"), portfolio, intent).status_code == 204
    assert get_portfolio(api, portfolio)["intents"] == []
    assert log(api, intent)[1:] == [("added_to_portfolio", "ada"), ("removed_from_portfolio", "bob")]
    payload = {"portfolio_id": portfolio["id"], "intent_id": intent["id"], "role": "primary", "priority": 100}
    for event in api.get(f"/intents/{intent['id']}/events").json()["events"][1:]:
        assert (event["intent_id"], event["portfolio_id"], event["payload"]) == (intent["id"], portfolio["id"], payload)


def test_member_has_default_role_and_priority_or_any_role(api, make_intent, make_portfolio):
    portfolio = make_portfolio()

    plain = add(api, portfolio, make_intent()).json()
    special = add(api, portfolio, make_intent(), role="Reiseleitung", priority=-3).json()

    assert (plain["role"], plain["priority"]) == ("member", 0)
    assert (special["role"], special["priority"]) == ("Reiseleitung", -3)


@pytest.mark.rule("P-1")
@pytest.mark.parametrize("role", ["member", "primary", "dependency"])
def test_intent_is_in_a_portfolio_once(api, make_intent, make_portfolio, role):
    intent = make_intent()
    portfolio, other = make_portfolio(intent), make_portfolio()
    before = database_rows()

    again = add(api, portfolio, intent, role=role)

    assert (again.status_code, again.json()["code"], again.json()["intent_id"]) == (409, "duplicate_member", intent["id"])
    assert database_rows() == before
    assert add(api, other, intent).status_code == 201


@pytest.mark.rule("P-1")
def test_single_member_is_primary_until_it_is_removed(api, make_intent, make_portfolio):
    first, second, portfolio = make_intent(), make_intent(), make_portfolio()
    add(api, portfolio, first, role="primary")
    before = database_rows()

    refused = add(api, portfolio, second, role="primary")

    assert (refused.status_code, refused.json()["code"], refused.json()["intent_id"]) == (409, "duplicate_primary", first["id"])
    assert database_rows() == before
    assert add(api, portfolio, second).status_code == 201
    for each in (first, second):
        remove(api, portfolio, each)
    assert add(api, portfolio, second, role="primary").status_code == 201


@pytest.mark.rule("P-1")
@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_closed_portfolio_keeps_its_members_and_accepts_none(api, make_intent, make_portfolio, status):
    member, other = make_intent(), make_intent()
    portfolio = make_portfolio(member)
    close(api, portfolio, status)
    before = database_rows()

    for refused in (add(api, portfolio, other), add(api, portfolio, member), remove(api, portfolio, member)):
        assert (refused.status_code, refused.json()["code"]) == (409, "portfolio_closed")
    assert remove(api, portfolio, other).status_code == 204
    assert database_rows() == before


def test_removal_is_idempotent(api, make_intent, make_portfolio):
    intent = make_intent()
    portfolio = make_portfolio(intent)

    remove(api, portfolio, intent)
    before = database_rows()

    assert remove(api, portfolio, intent).status_code == 204
    assert database_rows() == before


@pytest.mark.rule("L-4")
def test_lost_lease_prevents_adding_and_removing(api, agent, make_intent, make_portfolio):
    member, other = make_intent(), make_intent()
    portfolio = make_portfolio(member)
    before, path = database_rows(), f"/portfolios/{portfolio['id']}/intents"

    added = agent("ada").post(path, {"intent_id": other["id"]}, x_fencing_token="1")
    removed = agent("ada").delete(f"{path}/{member['id']}", x_fencing_token="1")

    assert [added.json()["code"], removed.json()["code"]] == ["lease_lost"] * 2
    assert database_rows() == before
