"""Work that is done, but whose intent cannot be completed yet (protocol K-7, G-4, A-2)."""

from datetime import UTC, datetime, timedelta

import pytest
from openintent import Worker

pytestmark = pytest.mark.rule("K-7")


@pytest.mark.rule("G-4")
@pytest.mark.parametrize("result", [None, {"plan": ["a", "b"]}])
def test_a_parent_is_completed_when_its_children_are(start_agent, operator, name, result):
    calls = []

    def plan(intent, assignment):
        calls.append(intent.id)
        for title in ("a", "b"):
            assignment.client.create_child_intent(intent.id, title)
        return result

    start_agent(Worker(name, plan))
    intent = operator.create_assigned(name)
    first, second = operator.wait_for_children(intent, 2)
    operator.wait_for_events(intent, "lease_released")
    operator.move_to(first, "completed")
    assert operator.get_intent(intent.id).status == "active"

    operator.move_to(second, "abandoned")

    assert operator.wait_for_status(intent, "completed").state == (result or {})
    assert calls == [intent.id]


@pytest.mark.rule("G-4")
def test_waiting_result_is_completed_by_another_process(start_agent, operator, name):
    def plan(intent, assignment):
        assignment.client.create_child_intent(intent.id, "a")
        return {"planned": assignment.attempt}

    agent = start_agent(Worker(name, plan))
    intent = operator.create_assigned(name)
    operator.wait_for_events(intent, "lease_released")
    agent.stop()
    [child] = operator.get_children(intent.id)
    operator.move_to(child, "completed")

    start_agent(Worker(name, plan))

    assert operator.wait_for_status(intent, "completed").state == {"planned": 1}
    assert len(operator.get_children(intent.id)) == 1


@pytest.mark.rule("A-2")
@pytest.mark.parametrize("result", [None, {"asked": True}])
def test_an_intent_that_waits_for_a_decision_is_completed_after_it(start_agent, operator, name, result):
    calls = []

    def ask(intent, assignment):
        calls.append(intent.id)
        assignment.client.request_arbitration(intent.id, reason="May I?", blocking=True)
        return result

    start_agent(Worker(name, ask))
    intent = operator.create_assigned(name)
    operator.wait_for_status(intent, "blocked")
    operator.wait_for_events(intent, "lease_released")

    operator.record_decision(intent.id, decision="yes", rationale="Why not")

    assert operator.wait_for_status(intent, "completed").state == (result or {})
    assert calls == [intent.id]


@pytest.mark.rule("A-5")
@pytest.mark.case("coordination P3")
@pytest.mark.parametrize("restarts", [False, True])
def test_expired_approval_does_not_release_the_worker(start_agent, operator, name, restarts):
    calls = []

    def deploy(intent):
        calls.append(intent.id)
        return {"deployed": True}

    intent = operator.create_assigned(name)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    operator.request_arbitration(intent.id, "May it be deployed?", blocking=True, expires_at=soon)
    agent = start_agent(Worker(name, deploy))
    operator.wait_for_events(intent, "arbitration_expired")
    if restarts:
        agent.stop()
        start_agent(Worker(name, deploy))
    other = operator.create_assigned(name)
    operator.wait_for_status(other, "completed")  # So the worker has seen the expiry, and gone on to what came after it.

    assert calls == [other.id]
    assert operator.get_intent(intent.id).status == "blocked"

    operator.move_to(intent, "active")

    assert operator.wait_for_status(intent, "completed").state == {"deployed": True}
    assert calls == [other.id, intent.id]
