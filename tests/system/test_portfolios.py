"""The rules of portfolios between two requests that come at the same moment, from two processes."""

from typing import Any

import pytest

from tests.system.concurrent_clients import Action, Http, rounds, statuses
from tests.system.test_races import status

pytestmark = pytest.mark.full


def portfolio(http: Http, *members: dict[str, Any], **policy: Any) -> dict[str, Any]:
    made = http.post("/portfolios", {"name": "Paris", "governance_policy": policy}).body
    for member in members:
        assert add(made, member)(http).status == 201
    return made  # type: ignore[no-any-return]


def add(portfolio: dict[str, Any], intent: dict[str, Any], **fields: Any) -> Action:
    return lambda client: client.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"], **fields})


def policy(portfolio: dict[str, Any], **keys: Any) -> Action:
    return lambda client: client.send("PATCH", f"/portfolios/{portfolio['id']}", {"governance_policy": keys})


def shown(http: Http, portfolio: dict[str, Any]) -> dict[str, Any]:
    return http.get(f"/portfolios/{portfolio['id']}").body  # type: ignore[no-any-return]


def changes(http: Http, portfolio: dict[str, Any]) -> list[tuple[str, str]]:
    """The portfolio's changes of status, as (actor, to)."""
    found = []
    page = http.get("/events?event_type=portfolio_status_changed&limit=1000").body
    while page["events"]:
        found += page["events"]
        page = http.get(f"/events?event_type=portfolio_status_changed&limit=1000&after={page['events'][-1]['position']}").body
    return [(each["actor"], each["payload"]["to"]) for each in found if each["portfolio_id"] == portfolio["id"]]


@pytest.mark.rule("P-1")
def test_of_several_who_add_the_same_intent_one_does(http, crowd):
    together = crowd(4)
    for _ in range(rounds(100, 10)):
        intent, trip = http.create(), portfolio(http)

        answers = together.at_once(*[add(trip, intent, priority=number) for number in range(4)])

        assert statuses(answers) == [201, 409, 409, 409]
        assert {answer.code for answer in answers if answer.status == 409} == {"duplicate_member"}
        assert len(shown(http, trip)["intents"]) == 1
        assert [event["event_type"] for event in http.events(intent["id"])].count("added_to_portfolio") == 1


@pytest.mark.rule("P-1")
def test_of_two_primary_members_one_wins(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        intents, trip = [http.create(), http.create()], portfolio(http)

        answers = together.at_once(*[add(trip, intent, role="primary") for intent in intents])

        assert statuses(answers) == [201, 409]
        [refused] = [answer for answer in answers if answer.status == 409]
        assert refused.code == "duplicate_primary"
        assert [each["id"] for each in shown(http, trip)["intents"]] == [refused.body["intent_id"]]


@pytest.mark.rule("P-2")
def test_last_two_members_completed_together_complete_portfolio_once(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        intents = [http.create(), http.create()]
        trip = portfolio(http, *intents, auto_complete_threshold=100)

        answers = together.at_once(*[status(intent, "completed") for intent in intents])

        assert statuses(answers) == [200, 200]
        assert_completed_once(http, trip)


@pytest.mark.rule("P-2")
def test_member_completed_while_added_or_threshold_set_is_counted(http, crowd):
    """Whoever comes second sees what the first has done, though neither knew of the other when it began."""
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        late, member = http.create(), http.create()
        trip, plan = portfolio(http, auto_complete_threshold=100), portfolio(http, member)

        added = together.at_once(add(trip, late), status(late, "completed"))
        told = together.at_once(policy(plan, auto_complete_threshold=100), status(member, "completed"))

        assert (statuses(added), statuses(told)) == ([200, 201], [200, 200])
        assert_completed_once(http, trip)
        assert_completed_once(http, plan)


@pytest.mark.rule("P-2", "G-5")
def test_verbs_over_several_portfolios_neither_deadlock_nor_lose_a_write(http, crowd):
    """Two portfolios share their members, which close, come and go from all sides at once."""
    together = crowd(6)
    for _ in range(rounds(100, 10)):
        root = http.create()
        parts = [http.post(f"/intents/{root['id']}/children", {"title": "A part"}).body for _ in range(3)]
        trips = [portfolio(http, *parts[::step], auto_complete_threshold=100) for step in (1, -1)]
        other = http.create()

        answers = together.at_once(
            status(root, "abandoned", cascade=True),
            *[status(part, "completed") for part in parts[:2]],
            *[add(trip, other) for trip in trips],
            lambda client, trip=trips[0], part=parts[2]: client.send("DELETE", f"/portfolios/{trip['id']}/intents/{part['id']}"),
        )

        assert {answer.status for answer in answers} <= {200, 201, 204, 400, 409}
        assert answers[0].status == 200
        for trip in trips:
            now = shown(http, trip)
            assert now["status"] == ("completed" if now["aggregate_status"]["completion_percentage"] == 100 else "active")


def assert_completed_once(http: Http, trip: dict[str, Any]) -> None:
    assert shown(http, trip)["status"] == "completed"
    assert changes(http, trip) == [("system", "completed")]


@pytest.mark.rule("P-4")
@pytest.mark.case("coordination O2")
def test_of_several_who_build_on_one_version_one_does(http, crowd):
    def send(method: str, path: str, body: Any) -> Action:
        return lambda client: client.send(method, path, body, version=1)

    together = crowd(4)
    for _ in range(rounds(50, 10)):
        trip = portfolio(http)
        path = f"/portfolios/{trip['id']}"

        answers = together.at_once(
            send("PATCH", path, {"governance_policy": {"require_all_completed": True}}),
            send("PATCH", path, {"governance_policy": {"auto_complete_threshold": 50}}),
            send("POST", f"{path}/intents", {"intent_id": http.create()["id"]}),
            send("PATCH", f"{path}/status", {"status": "abandoned"}),
        )

        assert sorted(answer.status in (200, 201) for answer in answers) == [False, False, False, True]
        assert {answer.code for answer in answers if answer.status == 409} == {"version_conflict"}
        assert shown(http, trip)["version"] == 2


@pytest.mark.rule("P-4")
@pytest.mark.case("coordination O2")
def test_concurrent_metadata_updates_with_retries_are_all_kept(http, crowd):
    def write(path: str, number: int) -> Action:
        def until_done(client: Http) -> int:
            for tries in range(1, 1_000):
                now = client.get(path).body
                change = {"metadata": {**now["metadata"], f"writer-{number}": tries}}
                if client.patch(path, change, version=now["version"]).status == 200:
                    return tries
            raise AssertionError("never")

        return until_done

    together = crowd(6)
    for _ in range(rounds(20, 3)):
        trip = portfolio(http)
        path = f"/portfolios/{trip['id']}"

        together.at_once(*[write(path, number) for number in range(6)])

        assert sorted(shown(http, trip)["metadata"]) == [f"writer-{number}" for number in range(6)]
        assert shown(http, trip)["version"] == 7
