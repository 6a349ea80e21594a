"""Decisions that come at the same moment, from two processes (rules A-3, A-7)."""

import pytest

from tests.system.concurrent_clients import rounds, statuses

pytestmark = pytest.mark.full


def ask(http, intent, **fields):
    answer = http.post(f"/intents/{intent['id']}/arbitrate", {"reason": "We disagree", **fields})
    assert answer.status == 201, answer
    return answer.body


def decide(intent, arbitration, decision):
    path, body = f"/intents/{intent['id']}/decisions", {"decision": decision, "arbitration_id": arbitration["id"]}
    return lambda client: client.post(path, body)


@pytest.mark.rule("A-3")
def test_of_two_deciders_at_once_one_wins(http, crowd):
    together = crowd(2)
    for _ in range(rounds(200, 12)):
        intent = http.create()
        arbitration = ask(http, intent, blocking=True)

        answers = together.at_once(decide(intent, arbitration, "a"), decide(intent, arbitration, "b"))

        assert statuses(answers) == [201, 409]
        [won] = [answer.body for answer in answers if answer.status == 201]
        [lost] = [answer for answer in answers if answer.status == 409]
        assert lost.code == "arbitration_resolved"
        assert http.get(f"/arbitrations/{arbitration['id']}").body["decision"] == won
        recorded = [event for event in http.events(intent["id"]) if event["event_type"] == "decision_recorded"]
        assert [event["payload"]["decision_id"] for event in recorded] == [won["id"]]
        assert http.intent(intent["id"])["status"] == "draft"


@pytest.mark.rule("A-2", "A-3")
def test_a_decision_and_a_withdrawal_at_once_are_one_of_both(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        intent = http.create()
        arbitration = ask(http, intent, blocking=True)

        decided, withdrawn = together.at_once(
            decide(intent, arbitration, "a"),
            lambda client, pk=arbitration["id"]: client.post(f"/arbitrations/{pk}/withdraw", {}),
        )

        assert {decided.status, withdrawn.status} in ({201, 409}, {409, 200})
        status = http.get(f"/arbitrations/{arbitration['id']}").body["status"]
        assert status == ("resolved" if decided.status == 201 else "withdrawn")
        assert http.intent(intent["id"])["status"] == "draft"


@pytest.mark.rule("A-2")
def test_concurrent_request_and_completion_leave_nothing_pending(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        intent = http.create()

        requested, completed = together.at_once(
            lambda client, pk=intent["id"]: client.post(f"/intents/{pk}/arbitrate", {"reason": "x", "blocking": True}),
            lambda client, intent=intent: client.complete(intent),
        )

        assert (requested.status, completed.status) in ((409, 200), (201, 409))
        pending = http.get(f"/intents/{intent['id']}/arbitrations?status=pending").body["arbitrations"]
        assert len(pending) == (requested.status == 201)
