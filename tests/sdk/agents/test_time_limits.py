"""Handlers with a time limit (protocol K-12)."""

import asyncio
import threading

import pytest
from openintent import Agent, BaseAgent, InputValidationError, LeaseConflictError, Worker, on_assignment, on_event

from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-12"), pytest.mark.case("coordination O22"), pytest.mark.database("sqlite")]


@pytest.fixture
def hang():
    """An event on which handlers hang until the end of the test."""
    hang = threading.Event()
    yield hang
    hang.set()


def test_hanging_handler_has_failed_and_the_fallback_agent_takes_over(start_agent, operator, name, hang):
    def work(intent, assignment):
        hang.wait()
        try:
            assignment.client.update_state(intent.id, assignment.client.get_intent(intent.id).version, {"by": "the late one"})
        except LeaseConflictError as error:
            refused.append(error.code)
        return {"by": "the late one"}

    refused = []
    intent = operator.create_intent("Something to do")
    operator.set_retry_policy(intent.id, max_attempts=1, fallback_agent_id=f"{name}-backup", retryable_errors=["timeout"])
    operator.assign_agent(intent.id, name)
    start_agent(Worker(f"{name}-backup", lambda intent: {"by": "backup"}))
    start_agent(Worker(name, work, time_limit_seconds=0.5))

    done = operator.wait_for_status(intent, "completed")

    assert done.state == {"by": "backup"}
    [failure] = operator.get_failures(intent.id)
    assert (failure.error_type, failure.error_message) == ("timeout", "the handler has not ended after 0.5 seconds")
    hang.set()
    until(lambda: refused, "the refusal")
    assert refused == ["lease_lost"]
    assert operator.get_intent(intent.id).state == {"by": "backup"}


def test_hanging_coroutine_is_cancelled(start_agent, operator, name):
    cancelled = []

    async def work(intent):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(intent.id)
            raise

    start_agent(Worker(name, work, time_limit_seconds=0.5))
    intent = operator.create_assigned(name)

    operator.wait_for_status(intent, "blocked")

    assert [each.error_type for each in operator.get_failures(intent.id)] == ["timeout"]
    until(lambda: cancelled, "the cancellation")


def test_hanging_handler_does_not_hold_up_the_next_intent(start_agent, operator, name, hang):
    @Agent(name, time_limit_seconds=1)
    class Once(BaseAgent):
        @on_assignment
        def work(self, intent):
            if intent.title == "hangs":
                hang.wait()
            return {"by": self.client.agent_id}

        @on_event("comment")
        def listen(self, event):
            if event.payload["text"] == "hangs":
                hang.wait()
            heard.append(event.payload["text"])

    heard = []
    start_agent(Once())
    first, second = operator.create_assigned(name, "hangs"), operator.create_assigned(name, "Second")
    for text in ("hangs", "second"):
        operator.log_event(second.id, "comment", {"text": text})

    assert operator.wait_for_status(second, "completed").state == {"by": name}
    operator.wait_for_status(first, "blocked")
    until(lambda: heard, "the comment")
    assert heard == ["second"]


def test_timeout_that_the_handler_raises_keeps_its_name(start_agent, operator, name):
    def work(intent):
        raise TimeoutError("the exchange does not answer")

    start_agent(Worker(name, work, time_limit_seconds=60))
    intent = operator.create_assigned(name)
    operator.wait_for_status(intent, "blocked")
    assert [each.error_type for each in operator.get_failures(intent.id)] == ["TimeoutError"]


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_invalid_time_limit_is_rejected(limit):
    with pytest.raises(InputValidationError, match="time_limit_seconds"):
        Agent("late", time_limit_seconds=limit)
