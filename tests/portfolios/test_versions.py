"""Versions of portfolios, and writes based on another version (rule P-4)."""

import pytest

from tests.conftest import set_status
from tests.portfolios.conftest import add, close, database_rows, get_portfolio, remove

pytestmark = [pytest.mark.rule("P-4"), pytest.mark.case("coordination O2")]


def patch(api, portfolio, body, **fields):
    return api.patch(f"/portfolios/{portfolio['id']}", body, **fields)


def updates(api):
    return [each["payload"] for each in api.get("/events", event_type="portfolio_updated", limit=1000).json()["events"]]


def test_only_changes_increment_the_portfolio_version(api, make_intent, make_portfolio):
    portfolio, intent = make_portfolio(), make_intent()
    versions = [portfolio["version"]]

    for change in (
        lambda: patch(api, portfolio, {"name": "Rome"}),
        lambda: patch(api, portfolio, {"description": "All of it", "metadata": {"year": 2030}}),
        lambda: patch(api, portfolio, {"governance_policy": {"require_all_completed": True}}),
        lambda: add(api, portfolio, intent),
        lambda: remove(api, portfolio, intent),
        lambda: add(api, portfolio, intent),
        lambda: set_status(api, intent, "completed"),
        lambda: patch(api, portfolio, {"name": "Rome", "governance_policy": {"require_all_completed": True}}),
        lambda: close(api, portfolio),
        lambda: close(api, portfolio),
    ):
        change()
        versions.append(get_portfolio(api, portfolio)["version"])

    assert versions == [1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 8]
    assert len(updates(api)) == 3


def test_etag_of_every_portfolio_response_is_its_version(api, make_portfolio):
    made = api.post("/portfolios", {"name": "Paris"})
    path = f"/portfolios/{made.json()['id']}"

    answers = [made, api.get(path), api.patch(path, {"name": "Rome"}), api.patch(f"{path}/status", {"status": "completed"})]

    assert [each.headers["ETag"] for each in answers] == ['"1"', '"1"', '"2"', '"3"']
    assert [each.json()["version"] for each in answers] == [1, 1, 2, 3]


@pytest.mark.parametrize("version", [1, 3, 10**17])
def test_stale_portfolio_version_is_refused(api, make_intent, make_portfolio, version):
    member, other = make_intent(), make_intent()
    portfolio = make_portfolio(member)  # Version 2.
    path = f"/portfolios/{portfolio['id']}"
    before = database_rows()

    for refused in (
        api.patch(path, {"name": "Rome"}, version=version),
        api.patch(path, {"name": portfolio["name"]}, version=version),
        api.patch(f"{path}/status", {"status": "completed"}, version=version),
        api.patch(f"{path}/status", {"status": "active"}, version=version),
        api.send("POST", f"{path}/intents", {"intent_id": other["id"]}, version=version),
        api.delete(f"{path}/intents/{member['id']}", version=version),
        api.delete(f"{path}/intents/{other['id']}", version=version),
    ):
        assert (refused.status_code, refused.json()["code"], refused.json()["current_version"]) == (409, "version_conflict", 2)
        assert refused.json()["detail"].startswith("Portfolio is at version 2")
    assert database_rows() == before


def test_current_portfolio_version_succeeds(api, make_intent, make_portfolio):
    portfolio, intent = make_portfolio(), make_intent()
    path = f"/portfolios/{portfolio['id']}"

    assert api.patch(path, {"name": "Rome"}, version=1).status_code == 200
    assert api.send("POST", f"{path}/intents", {"intent_id": intent["id"]}, version=2).status_code == 201
    assert api.delete(f"{path}/intents/{intent['id']}", version=3).status_code == 204
    assert api.patch(f"{path}/status", {"status": "completed"}, version=4).json()["version"] == 5


@pytest.mark.parametrize("given", ["", "*", "x", "-1", "0", '"1'])
def test_malformed_version_is_refused(api, make_portfolio, given):
    portfolio = make_portfolio()

    refused = patch(api, portfolio, {"name": "Rome"}, if_match=given)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "If-Match")
    assert get_portfolio(api, portfolio) == portfolio


def test_second_concurrent_policy_change_shows_conflict(api, make_portfolio):
    portfolio = make_portfolio(require_all_completed=True)
    policy = portfolio["governance_policy"]

    first = patch(api, portfolio, {"governance_policy": {**policy, "shared_constraints": {"budget": 5}}}, version=1)
    second = patch(api, portfolio, {"governance_policy": {**policy, "auto_complete_threshold": 50}}, version=1)

    assert (first.status_code, second.json()["code"]) == (200, "version_conflict")
    assert get_portfolio(api, portfolio)["governance_policy"] == {
        "require_all_completed": True,
        "shared_constraints": {"budget": 5},
    }
    assert updates(api) == [
        {
            "changes": {"governance_policy": {"require_all_completed": True, "shared_constraints": {"budget": 5}}},
            "previous": {"governance_policy": policy},
            "version": 2,
        }
    ]


def test_event_has_the_size_of_a_value_that_is_too_large(api, make_portfolio):
    portfolio = make_portfolio(metadata={"notes": "x" * 200_000})

    patch(api, portfolio, {"name": "Rome", "metadata": {"notes": "y" * 100_000, "year": 2030}})

    [told] = updates(api)
    assert told["changes"] == {"name": "Rome", "metadata": {"omitted_bytes": 100_024}}
    assert told["previous"] == {"name": "Paris", "metadata": {"omitted_bytes": 200_012}}


def test_metadata_of_the_sdk_is_only_replaced_with_a_version(api, make_portfolio):
    mark = {"openintent.coordinator": {"told": True}}
    portfolio = make_portfolio(metadata={**mark, "year": 2024})

    stale = patch(api, portfolio, {"metadata": {"openintent.coordinator": {}, "year": 2025}}).json()
    erased = patch(api, portfolio, {"metadata": {}}).json()
    meant = patch(api, portfolio, {"metadata": {"year": 2026}}, version=erased["version"]).json()

    assert stale["metadata"] == {**mark, "year": 2025}
    assert erased["metadata"] == mark
    assert meant["metadata"] == {"year": 2026}
