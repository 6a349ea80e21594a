"""Permits that many want at the same moment, over processes, and through kill -9 (rules A-8, A-9, A-13, A-16)."""

import random
from contextlib import suppress
from http.client import HTTPException
from threading import Event, Thread
from typing import Any

import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import Action, Http, rounds, statuses, until
from tests.system.conftest import verified

pytestmark = pytest.mark.full

PROCESSES = 3
SPENDERS = 30
REFUND = {"verb": "payments.refund", "target": "order-1", "params": {"amount": 120}}


def ask(http: Http, intent_id: str, action: dict[str, Any] = REFUND, **fields: Any) -> Any:
    answer = http.post(f"/intents/{intent_id}/arbitrate", {"reason": "May I?", "action": action, **fields})
    assert answer.status == 201, answer
    return answer.body


def approve(http: Http, asked: Any) -> Any:
    body = {"decision": "approve", "arbitration_id": asked["id"]}
    return http.post(f"/intents/{asked['intent_id']}/decisions", body)


def permit_for(http: Http, intent_id: str, action: dict[str, Any] = REFUND, **fields: Any) -> str:
    asked = ask(http, intent_id, action, **fields)
    answer = approve(http, asked)
    assert answer.status == 201, answer
    permits = http.get(f"/intents/{intent_id}/permits").body["permits"]
    return str(next(each["id"] for each in permits if each["arbitration_id"] == asked["id"]))


def posting(path: str, body: Any, **headers: Any) -> Action:
    return lambda client: client.post(path, body, **headers)


def approving(asked: Any) -> Action:
    return lambda client: approve(client, asked)


def recorded(http: Http, intent_id: str) -> list[str]:
    return [event["event_type"] for event in http.events(intent_id)]


@pytest.mark.rule("A-9")
def test_permit_is_spent_once_by_thirty_at_once(http, crowd):
    together = crowd(SPENDERS)
    for _ in range(rounds(200, 4)):
        intent_id = http.create()["id"]
        permit = permit_for(http, intent_id)

        answers = together.at_once(*[posting(f"/permits/{permit}/spend", {"action": REFUND})] * SPENDERS)

        assert statuses(answers) == [200] + [409] * (SPENDERS - 1)
        assert {answer.code for answer in answers if answer.status == 409} == {"permit_spent"}
        assert recorded(http, intent_id).count("permit_spent") == 1


@pytest.mark.rule("A-9", "A-12")
def test_gated_write_with_one_permit_is_done_once(http, crowd):
    together = crowd(10)
    for _ in range(rounds(50, 3)):
        intent_id = http.create()["id"]
        events = {"event_type": "deployed", "payload": {}}
        permit = permit_for(http, intent_id, {"verb": "log_event", "target": intent_id, "params": events})

        answers = together.at_once(*[posting(f"/intents/{intent_id}/events", events, permit=permit)] * 10)

        assert statuses(answers) == [201] + [409] * 9
        assert recorded(http, intent_id).count("deployed") == 1


@pytest.mark.rule("A-13", "A-8")
def test_two_voters_at_once_make_one_permit(http, crowd):
    together = crowd(2)
    keys = [http.post("/keys", {"name": name, "role": "arbiter"}).body["key"] for name in ("legal", "finance")]
    for client, key in zip(together.clients, keys, strict=True):
        client.api_key = key
    for _ in range(rounds(100, 5)):
        intent_id = http.create()["id"]
        asked = ask(http, intent_id, quorum=2)

        answers = together.at_once(*[approving(asked)] * 2)

        assert statuses(answers) == [201, 202]
        written = recorded(http, intent_id)
        assert [written.count(each) for each in ("vote_recorded", "decision_recorded", "permit_granted")] == [2, 1, 1]


@pytest.mark.rule("A-16")
def test_effect_is_granted_once_by_two_at_once(http, crowd):
    together = crowd(2)
    for number in range(rounds(100, 5)):
        action = {**REFUND, "effect_key": f"refund-{number}"}
        asked = [ask(http, http.create()["id"], action) for _ in range(2)]

        answers = together.at_once(*map(approving, asked))

        assert statuses(answers) == [201, 409]
        assert {answer.code for answer in answers if answer.status == 409} == {"effect_taken"}


@pytest.mark.rule("A-14")
def test_spending_and_revoking_at_once_are_one_of_both(http, crowd):
    together = crowd(2)
    for _ in range(rounds(50, 5)):
        permit = permit_for(http, http.create()["id"])

        spent, revoked = together.at_once(
            posting(f"/permits/{permit}/spend", {"action": REFUND}), posting(f"/permits/{permit}/revoke", {})
        )

        assert (spent.status, revoked.status) in ((200, 409), (409, 200))
        assert http.get(f"/permits/{permit}").body["status"] == ("spent" if spent.status == 200 else "revoked")


class Actor(Thread):
    """Asks for acts, has them granted and does them, one after the other, until it is enough or the server is gone."""

    def __init__(self, server: Server, enough: Event) -> None:
        super().__init__()
        self.server, self.enough = server, enough
        self.intents: list[str] = []
        self.requests = 0

    def run(self) -> None:
        with Http(self.server, may_fail=True) as http, suppress(OSError, HTTPException):
            while not self.enough.is_set():
                self._act(http)

    def _act(self, http: Http) -> None:
        intent = http.create()
        self.intents.append(intent["id"])
        body = {"state": {"done": True}}
        permit = permit_for(http, intent["id"], {"verb": "update_state", "target": intent["id"], "params": body})
        self.requests += 3
        http.post(f"/intents/{intent['id']}/state", body, version=1, permit=permit)
        self.requests += 1


@pytest.mark.rule("A-9", "I-1")
def test_crash_leaves_the_effect_if_and_only_if_the_permit_is_spent(vendor, tmp_path):
    database_url = migrated_database(vendor, tmp_path)
    intents: list[str] = []
    for _ in range(rounds(50, 3)):
        enough = Event()
        with Server(database_url) as server:
            actors = [Actor(server, enough) for _ in range(4)]
            for actor in actors:
                actor.start()
            goal = random.randint(8, 60)
            until(lambda actors=actors, goal=goal: sum(each.requests for each in actors) >= goal, "enough requests")
            server.kill()
            enough.set()
            for actor in actors:
                actor.join()
                intents += actor.intents
    with Server(database_url) as server, Http(server) as http:
        found = [(http.intent(pk), http.get(f"/intents/{pk}/permits").body["permits"]) for pk in intents]
        for intent, permits in found:
            assert [each["status"] == "spent" for each in permits] == ["done" in intent["state"]] * len(permits)
            assert len(permits) <= 1
        print(f"{len(found)} intents, {sum('done' in intent['state'] for intent, _ in found)} with the effect")
    verified(database_url)
