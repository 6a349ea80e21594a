"""A handler that raises: what is recorded, and what follows from the policy (protocol K-7, R-2, R-3)."""

import pytest
from openintent import Agent, AssignmentCancelledError, Done, OpenIntentClient, PermissionDeniedError, Worker, on_assignment
from openintent.agents import _runtime

from tests.system.concurrent_clients import until

pytestmark = pytest.mark.rule("K-7")

AT_ONCE = {"strategy": "fixed", "base_delay_seconds": 0, "max_delay_seconds": 0}


class RateLimited(Exception):
    error_type = "rate_limit"


class Nameless(Exception):
    error_type = " \x00"


class Failing:
    """A handler that raises so many times."""

    def __init__(self, times, error=None):
        self.left, self.error, self.attempts = times, error or RuntimeError("no luck"), []

    def __call__(self, intent, assignment):
        self.attempts.append(assignment.attempt)
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return {"attempts": len(self.attempts)}


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ValueError("not so"), "ValueError", "not so"),
        (RateLimited("slow down"), "rate_limit", "slow down"),
        (Nameless(), "Nameless", ""),
        (SystemExit(3), "SystemExit", "3"),
        (AssignmentCancelledError("not at all"), "AssignmentCancelledError", "not at all"),
        (RuntimeError("a\x00b\ud800" + "c" * 20_000), "RuntimeError", "ab?" + "c" * 9_997),
    ],
)
def test_exception_is_recorded_and_blocks_the_intent_without_a_policy(start_agent, operator, name, error, kind, message):
    start_agent(Worker(name, Failing(1, error)))
    intent = operator.create_assigned(name)

    assert operator.wait_for_status(intent, "blocked").state == {}

    [failure] = operator.get_failures(intent.id)
    assert (failure.agent_id, failure.error_type, failure.error_message, failure.attempt) == (name, kind, message, 1)
    reason = operator.get_events(intent.id, event_type="status_changed")[-1].payload["reason"]
    assert reason.startswith(f"{name} failed: {kind}: ")


def test_blocked_intent_is_retried_when_set_to_pending(start_agent, operator, name):
    handler = Failing(1)
    start_agent(Worker(name, handler))
    intent = operator.create_assigned(name)
    operator.wait_for_status(intent, "blocked")

    operator.move_to(intent, "pending")

    assert operator.wait_for_status(intent, "completed").state == {"attempts": 2}
    assert handler.attempts == [1, 2]


def test_restart_does_not_retry_a_final_failure(start_agent, operator, name):
    handler = Failing(1)
    agent = start_agent(Worker(name, handler))
    intent = operator.create_assigned(name)
    operator.wait_for_status(intent, "blocked")
    agent.stop()

    start_agent(Worker(name, handler))

    operator.wait_for_status(operator.create_assigned(name), "completed")
    assert operator.get_intent(intent.id).status == "blocked"


@pytest.mark.rule("R-2")
def test_failure_is_retried_by_the_policy(start_agent, operator, name):
    handler = Failing(2)
    intent = operator.create_intent("Something to do")
    operator.set_retry_policy(intent.id, max_attempts=3, **AT_ONCE)
    operator.assign_agent(intent.id, name)

    start_agent(Worker(name, handler))

    assert operator.wait_for_status(intent, "completed").state == {"attempts": 3}
    assert [each.attempt for each in operator.get_failures(intent.id)] == [1, 2]
    assert handler.attempts == [1, 2, 3]
    told = [event.payload["to"] for event in operator.get_events(intent.id, event_type="status_changed")]
    assert told == ["active", "pending", "active", "pending", "active", "completed"]


@pytest.mark.rule("R-2")
def test_retry_due_during_an_outage_is_made_up_for(start_agent, operator, name):
    handler = Failing(1)
    intent = operator.create_intent("Something to do")
    operator.set_retry_policy(intent.id, max_attempts=3, strategy="fixed", base_delay_seconds=1, jitter=False)
    operator.assign_agent(intent.id, name)
    agent = start_agent(Worker(name, handler))
    operator.wait_for_status(intent, "pending")
    agent.stop()
    operator.wait_for_events(intent, "retry_due")
    assert operator.get_intent(intent.id).status == "pending"

    start_agent(Worker(name, handler))

    operator.wait_for_status(intent, "completed")


@pytest.mark.rule("R-3")
def test_fallback_agent_takes_over_after_the_last_attempt(start_agent, operator, name):
    handler, backup = Failing(5), f"{name}-backup"
    intent = operator.create_intent("Something to do")
    operator.set_retry_policy(intent.id, max_attempts=2, fallback_agent_id=backup, **AT_ONCE)
    operator.assign_agent(intent.id, name)

    start_agent(Worker(name, handler))
    start_agent(Worker(backup, lambda intent: {"by": backup}))

    done = operator.wait_for_status(intent, "completed")
    assert done.state == {"by": backup}
    assert [each.agent_id for each in done.agents] == [backup]
    assert handler.attempts == [1, 2]
    assert "blocked" not in [event.payload["to"] for event in operator.get_events(intent.id, event_type="status_changed")]


@pytest.mark.rule("R-3")
def test_an_error_that_may_not_be_retried_blocks_the_intent(start_agent, operator, name):
    handler = Failing(1, RateLimited())
    intent = operator.create_intent("Something to do")
    operator.set_retry_policy(intent.id, retryable_errors=["timeout"], **AT_ONCE)
    operator.assign_agent(intent.id, name)

    start_agent(Worker(name, handler))

    operator.wait_for_status(intent, "blocked")
    assert "retries_exhausted" in operator.event_types(intent)


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ("done", "TypeError"),
        ({"at": object()}, "InputValidationError"),
        (Done(patches=[{"op": "remove", "path": "nothing"}]), "ValidationError"),
        ({"big": "x" * 2**20}, "ValidationError"),
    ],
)
def test_a_result_that_cannot_be_written_is_a_failure(start_agent, operator, name, result, kind):
    start_agent(Worker(name, lambda intent: result))
    intent = operator.create_assigned(name, state={"a": 1})

    assert operator.wait_for_status(intent, "blocked").state == {"a": 1}
    assert [each.error_type for each in operator.get_failures(intent.id)] == [kind]


def test_result_in_a_scope_leased_by_another_is_a_failure(start_agent, operator, name):
    start_agent(Worker(name, lambda intent: {"draft": 1}))
    intent = operator.create_intent("Something to do")
    operator.acquire_lease(intent.id, "draft")
    operator.assign_agent(intent.id, name)

    operator.wait_for_status(intent, "blocked")

    assert [each.error_type for each in operator.get_failures(intent.id)] == ["LeaseConflictError"]


def test_coroutine_that_raises_or_cancels_itself_is_a_failure(start_agent, operator, name):
    @Agent(name)
    class Async:
        @on_assignment
        async def work(self, intent):
            if intent.title == "raise":
                raise RateLimited
            import asyncio  # noqa: PLC0415

            raise asyncio.CancelledError

    start_agent(Async())
    raised, cancelled = operator.create_assigned(name, "raise"), operator.create_assigned(name, "cancel")

    for intent in (raised, cancelled):
        operator.wait_for_status(intent, "blocked")
    assert [operator.get_failures(each.id)[0].error_type for each in (raised, cancelled)] == ["rate_limit", "CancelledError"]


def test_failing_assignment_does_not_delay_others(start_agent, operator, name):
    handler = Failing(1)
    start_agent(Worker(name, handler))
    first, second = operator.create_assigned(name, "First"), operator.create_assigned(name, "Second")

    operator.wait_for_status(first, "blocked")
    operator.wait_for_status(second, "completed")


def test_permanent_refusal_is_not_retried_in_a_loop(start_agent, operator, name, caplog, monkeypatch):
    class Refused(OpenIntentClient):
        def send(self, call):
            if call.path.endswith("/status") and call.json["status"] == "active" and "Refused" in titles[call.path.split("/")[4]]:
                raise PermissionDeniedError("not you")
            return super().send(call)

    monkeypatch.setattr(_runtime, "OpenIntentClient", Refused)
    titles = {}
    agent = Worker(name, lambda intent: {"done": True})
    intents = [operator.create_assigned(name, title) for title in ("Refused", "Other", "Third")]
    titles.update({intent.id: intent.title for intent in intents})

    start_agent(agent)

    for intent in intents[1:]:
        operator.wait_for_status(intent, "completed")
    until(lambda: f"failed to process {intents[0].id}: not you" in caplog.text, "the log")
    assert operator.event_types(intents[0]).count("lease_acquired") == 1
