"""A handler's question is found again by its name (protocol K-12, A-2)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from openintent import Done, Worker

from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-12"), pytest.mark.case("coordination P4"), pytest.mark.database("sqlite")]

OPTIONS = ["yes", "no"]


def pay(intent, assignment, client):
    question = assignment.request_arbitration("pay", "May I pay?", options=OPTIONS, blocking=True, context={"amount": 40})
    return {"paid": client.wait_for_decision(intent.id, question.id).decision.decision, "attempt": assignment.attempt}


def test_killed_attempt_finds_its_question_and_the_answer(start_agent, server, operator, name):
    intent = operator.create_assigned(name)
    agent = start_agent(Worker(name, pay, drain_seconds=0))
    question = until(lambda: operator.get_arbitrations(intent.id), "the question")[0]
    agent.stop()
    operator.wait_for_events(intent, "lease_released")
    operator.record_decision(intent.id, "yes", arbitration_id=question.id)

    start_agent(Worker(name, pay))

    assert operator.wait_for_status(intent, "completed").state == {"paid": "yes", "attempt": 2}
    assert [(each.id, each.reason) for each in operator.get_arbitrations(intent.id)] == [(question.id, "May I pay?")]
    assert question.context["amount"] == 40


def test_names_tell_questions_apart_and_assignments_too(start_agent, operator, name):
    def ask_twice(intent, assignment):
        names = ("pay", "pay", "ship")
        asked.append([assignment.request_arbitration(each, f"May I {each}?").id for each in names])
        return Done({}, complete=False)

    asked = []
    start_agent(Worker(name, ask_twice))
    intent = operator.create_assigned(name)
    until(lambda: asked, "the questions")
    operator.wait_for_events(intent, "lease_released")
    operator.unassign_agent(intent.id, name)
    operator.assign_agent(intent.id, name)
    until(lambda: len(asked) == 2, "the second assignment")

    (first, again, other), second = asked
    assert first == again != other
    assert not set(second) & set(asked[0])


@pytest.mark.parametrize("end", ["withdrawn", "expired"])
def test_question_without_an_answer_is_asked_again(start_agent, operator, name, end):
    def ask(intent, assignment):
        soon = datetime.now(UTC) + timedelta(seconds=1)
        expires_at = soon if end == "expired" and assignment.attempt == 1 else None
        question = assignment.request_arbitration("pay", "May I?", options=OPTIONS, expires_at=expires_at)
        assignment.client.wait_for_decision(intent.id, question.id)

    start_agent(Worker(name, ask))
    intent = operator.create_assigned(name)
    first = until(lambda: operator.get_arbitrations(intent.id), "the question")[0]
    if end == "withdrawn":
        operator.withdraw_arbitration(first.id)
    operator.wait_for_status(intent, "blocked")
    operator.move_to(intent, "pending")
    second = until(lambda: operator.get_arbitrations(intent.id, status="pending"), "another question")[0]
    operator.record_decision(intent.id, "yes", arbitration_id=second.id)

    operator.wait_for_status(intent, "completed")
    assert len(operator.get_arbitrations(intent.id)) == 2


def test_coroutine_asks_in_a_thread(start_agent, operator, name):
    async def ask(intent, assignment):
        question = await asyncio.to_thread(assignment.request_arbitration, "pay", "May I?", options=OPTIONS, blocking=True)
        decided = await assignment.async_client.wait_for_decision(intent.id, question.id)
        return {"answer": decided.decision.decision}

    start_agent(Worker(name, ask))
    intent = operator.create_assigned(name)
    question = until(lambda: operator.get_arbitrations(intent.id), "the question")[0]
    operator.record_decision(intent.id, "no", arbitration_id=question.id)

    assert operator.wait_for_status(intent, "completed").state == {"answer": "no"}
