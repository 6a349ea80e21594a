"""A handler that raises: what is recorded, and what follows from the policy (protocol K-7, R-2, R-3)."""

import asyncio

import pytest
from openintent import Agent, AssignmentCancelledError, Done, OpenIntentClient, PermissionDeniedError, Worker, on_assignment
from openintent.agents import _attempt, _runtime

from tests.system.concurrent_clients import until

pytestmark = pytest.mark.rule("K-7")

AT_ONCE = {"strategy": "fixed", "base_delay_seconds": 0, "max_delay_seconds": 0}


class RateLimited(Exception):
    error_type = "rate_limit"


class Nameless(Exception):
    error_type = " \x00"


class Unprintable(Exception):
    def __str__(self):
        return self.missing


class Untypable(Exception):
    def __str__(self):
        return 3  # noqa: PLE0307

    @property
    def error_type(self):
        raise SystemExit(4)


class Indescribable(BaseException):
    error_type = None

    def __str__(self):
        raise KeyboardInterrupt


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


@pytest.mark.rule("K-12")
@pytest.mark.case("coordination O11")
@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (Unprintable(), "Unprintable", ""),
        (Untypable(), "Untypable", ""),
        (Indescribable(), "Indescribable", ""),
        (BaseExceptionGroup("several", [SystemExit(1), ValueError(2)]), "BaseExceptionGroup", "several (2 sub-exceptions)"),
        (StopIteration(1), "StopIteration", "1"),
        (GeneratorExit(), "GeneratorExit", ""),
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


@pytest.mark.rule("K-12")
@pytest.mark.case("coordination O9")
@pytest.mark.parametrize("result", [{"draft": 1}, Done({"draft": 1}, complete=False)], ids=["completes", "leaves open"])
@pytest.mark.parametrize("end", ["released", "expired"])
def test_result_waits_for_another_agents_lease_to_end(start_agent, operator, name, result, end):
    calls = []
    start_agent(Worker(name, lambda intent: calls.append(intent.id) or result))
    intent = operator.create_intent("Something to do")
    lease = operator.acquire_lease(intent.id, "draft", 2 if end == "expired" else 300)
    operator.assign_agent(intent.id, name)
    operator.wait_for_status(intent, "active")
    if end == "released":
        until(lambda: calls, "the handler")
        operator.release_lease(intent.id, lease.id)

    done = until(lambda: (now := operator.get_intent(intent.id)).state == {"draft": 1} and now, "the result")

    assert operator.get_failures(intent.id) == []
    assert calls == [done.id]


@pytest.mark.rule("K-12")
@pytest.mark.case("coordination O9")
def test_result_that_waits_too_long_is_a_failure(start_agent, operator, name, monkeypatch):
    monkeypatch.setattr(_attempt, "MAX_CONFLICT", 1.0)
    start_agent(Worker(name, lambda intent: {"draft": 1}))
    intent = operator.create_intent("Something to do")
    operator.acquire_lease(intent.id, "draft")
    operator.assign_agent(intent.id, name)

    operator.wait_for_status(intent, "blocked")

    assert [each.error_type for each in operator.get_failures(intent.id)] == ["LeaseConflictError"]


@pytest.mark.rule("K-12")
@pytest.mark.parametrize("status", ["completed", "abandoned"])
@pytest.mark.parametrize("lasts", [0, 3], ids=["returns at once", "outlasts its lease"])
def test_handler_may_end_its_intent_and_still_return_a_result(start_agent, operator, name, status, lasts):
    calls, cancelled = [], []

    def finish(intent, assignment):
        calls.append(intent.id)
        assignment.client.set_status(intent.id, intent.version, status)
        cancelled.append(assignment.wait(lasts))
        return {"by": "itself"}

    start_agent(Worker(name, finish, lease_seconds=1))
    intent = operator.create_assigned(name)

    done = until(lambda: (now := operator.get_intent(intent.id)).state and now, "the result")

    assert (done.state, done.status) == ({"by": "itself"}, status)
    assert (calls, cancelled) == ([intent.id], [False])
    assert operator.get_failures(intent.id) == []
    operator.wait_for_status(operator.create_assigned(name), status)


@pytest.mark.rule("K-12")
def test_handler_that_ends_its_intent_and_raises_has_failed(start_agent, operator, name):
    def finish(intent, client):
        client.set_status(intent.id, intent.version, "completed")
        raise RuntimeError("too late")

    start_agent(Worker(name, finish))
    intent = operator.create_assigned(name)

    until(lambda: operator.get_failures(intent.id), "the failure")
    assert operator.get_intent(intent.id).status == "completed"


@pytest.mark.rule("K-12")
def test_result_after_somebody_else_ended_the_intent_is_not_written(start_agent, operator, name):
    def work(intent, assignment):
        operator.move_to(intent, "completed")
        return {"by": "the agent"}

    start_agent(Worker(name, work))
    intent = operator.create_assigned(name)
    operator.wait_for_status(operator.create_assigned(name), "completed")

    assert operator.get_intent(intent.id).state == {}


@pytest.mark.rule("K-12")
@pytest.mark.case("coordination O13")
@pytest.mark.parametrize("when", ["pending", "decided"])
def test_a_question_between_failure_and_block_does_not_resume_the_work(start_agent, server, operator, name, monkeypatch, when):
    """Another agent's on_failure asks it, as soon as the failure is recorded; a person may even have answered by then."""

    class Overtaken(OpenIntentClient):
        def record_failure(self, intent_id, *arguments, **names):
            failure = super().record_failure(intent_id, *arguments, **names)
            question = operator.request_arbitration(intent_id, "Go on?", options=["go on", "give up"], blocking=True)
            if when == "decided":
                operator.record_decision(intent_id, "give up", arbitration_id=question.id)
            questions.append(question)
            return failure

    monkeypatch.setattr(_runtime, "OpenIntentClient", Overtaken)
    questions, handler = [], Failing(1)
    start_agent(Worker(name, handler))
    intent = operator.create_assigned(name)
    operator.wait_for_events(intent, "lease_released")
    if when == "pending":
        operator.record_decision(intent.id, "give up", arbitration_id=questions[0].id)
    operator.wait_for_status(operator.create_assigned(name), "completed")

    assert operator.get_intent(intent.id).status == "blocked"
    assert handler.attempts == [1, 1]  # Of two intents.


@pytest.mark.rule("K-12")
@pytest.mark.case("coordination O13")
@pytest.mark.parametrize(("policy", "status"), [(None, "blocked"), ({"base_delay_seconds": 3600}, "pending")])
def test_status_after_a_failure_is_made_up_for_after_a_crash(start_agent, server, operator, name, policy, status):
    intent = operator.create_intent("Something to do")
    if policy:
        operator.set_retry_policy(intent.id, strategy="fixed", max_attempts=3, jitter=False, **policy)
    operator.assign_agent(intent.id, name)
    with type(operator)(server.url, "dev-user-key", name) as dead:
        lease = dead.acquire_lease(intent.id, "assignment")
        dead.set_status(intent.id, intent.version, "active")
        dead.record_failure(intent.id, "nonsense")
        dead.release_lease(intent.id, lease.id)

    start_agent(Worker(name, lambda intent: {"done": True}))

    operator.wait_for_status(intent, status)


def test_coroutine_that_raises_or_cancels_itself_is_a_failure(start_agent, operator, name):
    @Agent(name)
    class Async:
        @on_assignment
        async def work(self, intent):
            raise errors[intent.title]

    errors = {"rate_limit": RateLimited(), "CancelledError": asyncio.CancelledError(), "Unprintable": Unprintable()}
    errors |= {"SystemExit": SystemExit(3), "KeyboardInterrupt": KeyboardInterrupt(), "GeneratorExit": GeneratorExit()}
    start_agent(Async())
    intents = [operator.create_assigned(name, title) for title in errors]

    for intent in intents:
        operator.wait_for_status(intent, "blocked")
    assert [operator.get_failures(each.id)[0].error_type for each in intents] == [*errors]


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
