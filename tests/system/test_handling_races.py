"""Two people handle one question at the same moment, from two processes: assign it, send it back, answer it, decide it (rules H-8, H-9)."""

from typing import Any

import pytest

from tests.databases import migrated_database
from tests.system.concurrent_clients import Crowd, Http, rounds, statuses
from tests.system.conftest import create_arbiters

pytestmark = pytest.mark.full

PEOPLE = ("grace", "henry")
ROUNDS = rounds(100, 8)


@pytest.fixture(scope="module")
def database_url(vendor, tmp_path_factory):
    """A database with people who can be assigned."""
    url = migrated_database(vendor, tmp_path_factory.mktemp("system"))
    create_arbiters(url, PEOPLE)
    return url


@pytest.fixture
def pair(servers, http):
    """Two arbiters with keys of their own, each at another process."""
    keys = [http.post("/keys", {"name": name, "role": "arbiter"}).body["key"] for name in ("judy", "olga")]
    with Crowd(servers, len(keys)) as both:
        for client, key in zip(both.clients, keys, strict=True):
            client.api_key = key
        yield both


def ask(http: Http) -> dict[str, Any]:
    intent = http.create()
    answer = http.post(f"/intents/{intent['id']}/arbitrate", {"reason": "Go on?", "blocking": True})
    assert answer.status == 201, answer
    return answer.body  # type: ignore[no-any-return]


def assign(asked: dict[str, Any], assignee: str | None) -> Any:
    return lambda client: client.post(f"/arbitrations/{asked['id']}/assign", {"assignee": assignee})


def ask_back(asked: dict[str, Any], question: str) -> Any:
    return lambda client: client.post(f"/arbitrations/{asked['id']}/request-information", {"question": question})


def decide(asked: dict[str, Any], decision: str) -> Any:
    body = {"decision": decision, "arbitration_id": asked["id"]}
    return lambda client: client.post(f"/intents/{asked['intent_id']}/decisions", body)


def history(http: Http, asked: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the arbitration, and the events about it after its request."""
    events = [each for each in http.events(asked["intent_id"]) if each["payload"].get("arbitration_id") == asked["id"]]
    return http.get(f"/arbitrations/{asked['id']}").body, events[1:]


@pytest.mark.rule("H-8")
def test_of_two_assignments_at_once_the_later_stays_and_both_are_logged(http, pair):
    for _ in range(ROUNDS):
        asked = ask(http)

        answers = pair.at_once(assign(asked, "user:grace"), assign(asked, "user:henry"))

        arbitration, events = history(http, asked)
        assert statuses(answers) == [200, 200]
        chain = [(each["payload"]["previous"], each["payload"]["assignee"]) for each in events]
        assert chain in (
            [(None, "user:grace"), ("user:grace", "user:henry")],
            [(None, "user:henry"), ("user:henry", "user:grace")],
        )
        assert arbitration["assignee"] == chain[-1][1]


@pytest.mark.rule("H-8")
def test_same_assignment_by_two_at_once_is_logged_once(http, pair):
    for _ in range(ROUNDS):
        asked = ask(http)

        answers = pair.at_once(assign(asked, "user:grace"), assign(asked, "user:grace"))

        arbitration, events = history(http, asked)
        assert statuses(answers) == [200, 200]
        assert (arbitration["assignee"], len(events)) == ("user:grace", 1)


@pytest.mark.rule("H-9")
def test_of_two_who_ask_back_at_once_one_is_told_of_the_other(http, pair):
    for _ in range(ROUNDS):
        asked = ask(http)

        answers = pair.at_once(ask_back(asked, "Which?"), ask_back(asked, "Since when?"))

        arbitration, events = history(http, asked)
        assert statuses(answers) == [200, 409]
        [entry] = arbitration["information"]
        assert [each["payload"]["question"] for each in events] == [entry["question"]]
        [refused] = [answer for answer in answers if answer.status == 409]
        assert refused.code == "information_requested"
        assert refused.body["question"] == entry["question"]


@pytest.mark.rule("H-9", "A-3")
def test_asking_back_and_deciding_at_once_lose_nothing(http, pair):
    for _ in range(ROUNDS):
        asked = ask(http)

        back, decided = pair.at_once(ask_back(asked, "Which?"), decide(asked, "yes"))

        arbitration, events = history(http, asked)
        assert (back.status, decided.status) in ((200, 201), (409, 201))
        assert (arbitration["status"], arbitration["decision"]["decision"]) == ("resolved", "yes")
        expected = ["information_requested"] if back.status == 200 else []
        assert [each["event_type"] for each in events] == [*expected, "decision_recorded"]
        assert len(arbitration["information"]) == len(expected)


@pytest.mark.rule("H-9", "A-3")
def test_information_and_a_decision_at_once_lose_nothing(http, pair):
    """The agent answers while another person decides."""
    for _ in range(ROUNDS):
        asked = ask(http)
        assert ask_back(asked, "Which?")(pair.clients[0]).status == 200
        provided, decided = pair.at_once(
            lambda _, asked=asked: http.post(f"/arbitrations/{asked['id']}/information", {"answer": "All."}),
            decide(asked, "yes"),
        )

        arbitration, events = history(http, asked)
        assert (provided.status, decided.status) in ((200, 201), (409, 201))
        assert arbitration["status"] == "resolved"
        assert arbitration["information"][0]["answer"] == ("All." if provided.status == 200 else None)
        expected = ["information_provided"] if provided.status == 200 else []
        assert [each["event_type"] for each in events] == ["information_requested", *expected, "decision_recorded"]


@pytest.mark.rule("H-8", "A-3")
def test_assigning_and_deciding_at_once_are_both_or_the_decision_alone(http, pair):
    for _ in range(ROUNDS):
        asked = ask(http)

        assigned, decided = pair.at_once(assign(asked, "user:grace"), decide(asked, "yes"))

        arbitration, events = history(http, asked)
        assert (assigned.status, decided.status) in ((200, 201), (409, 201))
        expected = ["arbitration_assigned"] if assigned.status == 200 else []
        assert [each["event_type"] for each in events] == [*expected, "decision_recorded"]
        assert arbitration["assignee"] == ("user:grace" if assigned.status == 200 else None)
