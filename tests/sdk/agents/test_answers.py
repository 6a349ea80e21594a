"""A handler asks and returns; `on_answer` is called with the answer, once, in whichever process (protocol K-7, H-1, H-2)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from openintent import (
    Agent,
    BaseAgent,
    ConnectionFailedError,
    Done,
    InputValidationError,
    OpenIntentClient,
    on_answer,
    on_assignment,
)
from openintent.agents import _runtime

from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-7", "H-1"), pytest.mark.database("sqlite")]

AMOUNT = {"type": "object", "properties": {"euros": {"type": "integer", "minimum": 1}}, "required": ["euros"]}


class Buyer(BaseAgent):
    """Asks for an amount, and pays it."""

    terms = {"schema": AMOUNT}

    @on_assignment
    def work(self, intent, assignment):
        assignment.ask("amount", "How much may it cost?", **self.terms)
        return {"asked": True}

    @on_answer("amount")
    def pay(self, answer, question):
        return Done(patches=[{"op": "append", "path": "paid", "value": answer and answer["euros"]}], reason=str(question.status))


def make(kind, name, **members):
    return Agent(name)(type(kind.__name__, (kind,), members))()


def question_of(operator, intent, count=1):
    found = until(lambda: len(all := operator.get_arbitrations(intent.id)) == count and all, "the question")
    operator.wait_for_events(intent, "lease_released", count)
    return found[-1]


def answer(operator, question, **given):
    given = given or {"answer": {"euros": 40}}
    return operator.record_decision(question.intent_id, arbitration_id=question.id, **given)


def test_handler_returns_and_its_answer_completes_the_intent(start_agent, operator, name):
    start_agent(make(Buyer, name))
    intent = operator.create_assigned(name)
    question = question_of(operator, intent)
    now = operator.get_intent(intent.id)
    assert (now.status, now.state, question.status) == ("active", {"asked": True}, "pending")

    answer(operator, question)

    assert operator.wait_for_status(intent, "completed").state == {"asked": True, "paid": [40]}


@pytest.mark.parametrize("answered", ["before the end", "while it is away"])
def test_answer_reaches_another_process(start_agent, operator, name, answered):
    agent = start_agent(make(Buyer, name))
    intent = operator.create_assigned(name)
    question = question_of(operator, intent)
    agent.stop()
    if answered == "while it is away":
        answer(operator, question)

    start_agent(make(Buyer, name))
    if answered == "before the end":
        answer(operator, question)

    assert operator.wait_for_status(intent, "completed").state == {"asked": True, "paid": [40]}
    assert len(operator.get_arbitrations(intent.id)) == 1


def test_two_processes_take_an_answer_once(start_agent, operator, name):
    for _ in range(2):
        start_agent(make(Buyer, name, concurrency=4))
    intents = [operator.create_assigned(name) for _ in range(8)]
    for each in intents:
        answer(operator, question_of(operator, each))

    assert [operator.wait_for_status(each, "completed").state["paid"] for each in intents] == [[40]] * 8


class Lossy(OpenIntentClient):
    """Loses the answer to the write that carries the result of an answer, once, or the connection with it."""

    lost = dies = False

    def send(self, call):
        if Lossy.lost and Lossy.dies:
            raise ConnectionFailedError("The process is dead.", sent=False)
        result = super().send(call)
        if call.method == "POST" and "'paid'" in str(call.json) and not Lossy.lost:
            Lossy.lost = True
            raise ConnectionFailedError("The answer was lost.")
        return result


@pytest.mark.parametrize("dies", [False, True])
def test_result_of_an_answer_is_written_once(start_agent, operator, name, monkeypatch, dies):
    Lossy.lost, Lossy.dies = False, dies
    with monkeypatch.context() as patched:
        patched.setattr(_runtime, "OpenIntentClient", Lossy)
        agent = start_agent(Agent(name, lease_seconds=1, drain_seconds=0)(type("Mortal", (Buyer,), {}))())
    intent = operator.create_assigned(name)
    answer(operator, question_of(operator, intent))
    until(lambda: Lossy.lost, "the lost answer")
    if dies:
        agent.stop()
        start_agent(make(Buyer, name))

    assert operator.wait_for_status(intent, "completed").state["paid"] == [40]


@pytest.mark.rule("H-2")
@pytest.mark.parametrize(("end", "paid"), [("decides", 7), ("expires", None), ("withdrawn", None)])
def test_end_without_an_answer_by_a_person_is_told_too(start_agent, operator, name, end, paid):
    fallback = {"do": "decide", "decision": "answered", "answer": {"euros": 7}} if end == "decides" else None
    soon = None if end == "withdrawn" else datetime.now(UTC) + timedelta(seconds=1)
    start_agent(make(Buyer, name, terms={"schema": AMOUNT, "expires_at": soon, "fallback": fallback}))
    intent = operator.create_assigned(name)
    question = question_of(operator, intent)
    if end == "withdrawn":
        operator.withdraw_arbitration(question.id)

    assert operator.wait_for_status(intent, "completed").state["paid"] == [paid]


@pytest.mark.rule("H-2")
def test_fallback_that_fails_leaves_the_answer_to_the_retry(start_agent, operator, name):
    soon = datetime.now(UTC) + timedelta(seconds=1)
    start_agent(make(Buyer, name, terms={"schema": AMOUNT, "expires_at": soon, "fallback": {"do": "fail"}}))
    intent = operator.create_intent("Something to do")
    operator.set_retry_policy(intent.id, strategy="fixed", max_attempts=3, base_delay_seconds=0.1)
    operator.assign_agent(intent.id, name)

    assert operator.wait_for_status(intent, "completed").state["paid"] == [None]
    assert [each.error_type for each in operator.get_failures(intent.id)] == ["unanswered_question"]


def test_blocking_question_gives_the_intent_back_with_its_answer(start_agent, operator, name):
    start_agent(make(Buyer, name, terms={"schema": AMOUNT, "blocking": True}))
    intent = operator.create_assigned(name)
    question = question_of(operator, intent)
    assert operator.get_intent(intent.id).status == "blocked"

    answer(operator, question)

    assert operator.wait_for_status(intent, "completed").state["paid"] == [40]


def test_failed_answer_is_tried_again_by_the_policy(start_agent, operator, name):
    calls = []

    @on_answer("amount")
    def pay(self, answer):
        calls.append(answer)
        if len(calls) == 1:
            raise TimeoutError("the bank does not answer")
        return {"paid": answer["euros"]}

    start_agent(make(Buyer, name, pay=pay))
    intent = operator.create_intent("Something to do")
    operator.set_retry_policy(intent.id, strategy="fixed", max_attempts=3, base_delay_seconds=0.1)
    operator.assign_agent(intent.id, name)
    answer(operator, question_of(operator, intent))

    assert operator.wait_for_status(intent, "completed").state["paid"] == 40
    assert calls == [{"euros": 40}] * 2


class Curious(BaseAgent):
    """Asks two questions, and a third one after the answer to the first."""

    @on_assignment
    def work(self, intent, assignment):
        assignment.ask("first", "First?", options=["yes", "no"])
        assignment.request_input("second", "Second?")

    @on_answer("first")
    async def follow_up(self, intent, answer, assignment):
        await asyncio.to_thread(assignment.ask, "third", f"Third, after {answer}?")
        return {"first": answer}

    @on_answer
    def keep(self, question, answer):
        return {question.reason: answer}


def test_intent_is_completed_after_its_last_answer(start_agent, operator, name):
    start_agent(make(Curious, name))
    intent = operator.create_assigned(name)
    until(lambda: len(operator.get_arbitrations(intent.id)) == 2, "two questions")
    first, second = sorted(operator.get_arbitrations(intent.id), key=lambda each: each.reason)
    answer(operator, second, decision="2")
    answer(operator, first, decision="yes")
    third = until(lambda: operator.get_arbitrations(intent.id, status="pending"), "the third question")[0]
    until(lambda: len(operator.get_intent(intent.id).state) == 2, "two answers")
    assert operator.get_intent(intent.id).status == "active"

    answer(operator, third, decision="3")

    state = operator.wait_for_status(intent, "completed").state
    assert state == {"first": "yes", "Second?": "2", "Third, after yes?": "3"}


def test_answers_of_an_earlier_assignment_are_not_told(start_agent, operator, name):
    start_agent(make(Buyer, name))
    intent = operator.create_assigned(name)
    old = question_of(operator, intent)
    operator.unassign_agent(intent.id, name)
    operator.assign_agent(intent.id, name)
    new = question_of(operator, intent, 2)
    answer(operator, old, answer={"euros": 1})
    answer(operator, new, answer={"euros": 2})

    assert operator.wait_for_status(intent, "completed").state["paid"] == [2]


def test_question_that_no_method_takes_is_refused(start_agent, operator, name):
    refused = []

    @on_assignment
    def work(self, intent, assignment):
        try:
            assignment.ask("weather", "Will it rain?")
        except InputValidationError as error:
            refused.append(error.field)

    start_agent(make(Buyer, name, work=work))
    intent = operator.create_assigned(name)

    operator.wait_for_status(intent, "completed")
    assert refused == ["name"]
    assert operator.get_arbitrations(intent.id) == []


def test_answers_need_one_method_each_and_one_that_asks(name):
    class Twice(Buyer):
        @on_answer("amount")
        def again(self, answer): ...

    class Mute(BaseAgent):
        @on_answer
        def hear(self, answer): ...

    with pytest.raises(TypeError, match="two methods under @on_answer take the answer to 'amount'"):
        Agent(name)(Twice)().start()
    with pytest.raises(TypeError, match="needs a method under @on_assignment"):
        Agent(name)(Mute)().start()
    with pytest.raises(TypeError, match="has a parameter 'event', which @on_answer has no value for"):
        type("Wrong", (Buyer,), {"pay": on_answer(lambda self, event: None)})
