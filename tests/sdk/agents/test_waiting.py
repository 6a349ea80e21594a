"""Work that is done, but whose intent cannot be completed yet (protocol K-7, G-4, A-2)."""

from datetime import UTC, datetime, timedelta

import pytest
from openintent import Worker

pytestmark = pytest.mark.rule("K-7")


@pytest.mark.rule("G-4")
@pytest.mark.parametrize("result", [None, {"plan": ["a", "b"]}])
def test_a_parent_is_completed_when_its_children_are(begin, boss, name, result):
    calls = []

    def plan(intent, assignment):
        calls.append(intent.id)
        for title in ("a", "b"):
            assignment.client.create_child_intent(intent.id, title)
        return result

    begin(Worker(name, plan))
    intent = boss.ask(name)
    first, second = boss.becomes_parent(intent, 2)
    boss.hears(intent, "lease_released")
    boss.status(first, "completed")
    assert boss.get_intent(intent.id).status == "active"

    boss.status(second, "abandoned")

    assert boss.becomes(intent, "completed").state == (result or {})
    assert calls == [intent.id]


@pytest.mark.rule("G-4")
def test_waiting_result_is_completed_by_another_process(begin, boss, name):
    def plan(intent, assignment):
        assignment.client.create_child_intent(intent.id, "a")
        return {"planned": assignment.attempt}

    agent = begin(Worker(name, plan))
    intent = boss.ask(name)
    boss.hears(intent, "lease_released")
    agent.stop()
    [child] = boss.get_children(intent.id)
    boss.status(child, "completed")

    begin(Worker(name, plan))

    assert boss.becomes(intent, "completed").state == {"planned": 1}
    assert len(boss.get_children(intent.id)) == 1


@pytest.mark.rule("A-2")
@pytest.mark.parametrize("result", [None, {"asked": True}])
def test_an_intent_that_waits_for_a_decision_is_completed_after_it(begin, boss, name, result):
    calls = []

    def ask(intent, assignment):
        calls.append(intent.id)
        assignment.client.request_arbitration(intent.id, reason="May I?", blocking=True)
        return result

    begin(Worker(name, ask))
    intent = boss.ask(name)
    boss.becomes(intent, "blocked")
    boss.hears(intent, "lease_released")

    boss.record_decision(intent.id, decision="yes", rationale="Why not")

    assert boss.becomes(intent, "completed").state == (result or {})
    assert calls == [intent.id]


@pytest.mark.rule("A-5")
@pytest.mark.case("coordination P3")
@pytest.mark.parametrize("restarts", [False, True])
def test_expired_approval_does_not_release_the_worker(begin, boss, name, restarts):
    calls = []

    def deploy(intent):
        calls.append(intent.id)
        return {"deployed": True}

    intent = boss.ask(name)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    boss.request_arbitration(intent.id, "May it be deployed?", blocking=True, expires_at=soon)
    agent = begin(Worker(name, deploy))
    boss.hears(intent, "arbitration_expired")
    if restarts:
        agent.stop()
        begin(Worker(name, deploy))
    other = boss.ask(name)
    boss.becomes(other, "completed")  # So the worker has seen the expiry, and gone on to what came after it.

    assert calls == [other.id]
    assert boss.get_intent(intent.id).status == "blocked"

    boss.status(intent, "active")

    assert boss.becomes(intent, "completed").state == {"deployed": True}
    assert calls == [other.id, intent.id]
