"""The lease under which an assignment is handled: one handler at a time, and nothing written once it is lost (protocol K-7, L-1, L-4)."""

import asyncio
import threading

import pytest
from openintent import Agent, AssignmentCancelledError, LeaseConflictError, Worker, on_assignment

from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.full, pytest.mark.database("sqlite")]


class Busy:
    """A handler that works until it is released or cancelled, and records the outcome of its writes."""

    def __init__(self):
        self.begun, self.go, self.refused = threading.Event(), threading.Event(), []

    def __call__(self, intent, assignment):
        self.begun.set()
        until(lambda: self.go.is_set() or assignment.is_cancelled, "the end")
        for _ in range(2):  # The client of an assignment never forgets that its lease is lost.
            try:
                assignment.client.log_event(intent.id, "comment")
            except LeaseConflictError as error:
                self.refused.append(error.code)
        assignment.raise_if_cancelled()
        return {"done": True}


@pytest.fixture
def busy(start_agent, name):
    handler = Busy()
    start_agent(Worker(name, handler, lease_seconds=2))
    yield handler
    handler.go.set()


def lease_of(operator, intent):
    [lease] = operator.get_leases(intent.id)
    return lease


def test_lease_is_renewed_while_the_handler_runs_and_released(operator, name, busy):
    intent = operator.create_assigned(name)
    assert busy.begun.wait(30)
    lease = lease_of(operator, intent)
    operator.wait_for_events(intent, "lease_renewed", 2)
    assert (lease.agent_id, lease.scope) == (name, "assignment")

    busy.go.set()

    operator.wait_for_status(intent, "completed")
    assert operator.get_leases(intent.id) == []
    assert busy.refused == []


@pytest.mark.rule("L-4")
def test_revoked_lease_cancels_the_handler_and_its_writes(operator, name, busy):
    intent = operator.create_assigned(name)
    assert busy.begun.wait(30)

    operator.revoke_lease(intent.id, lease_of(operator, intent).id, "it takes too long")

    until(lambda: len(busy.refused) == 2, "two refusals")
    assert busy.refused == ["lease_lost", "lease_lost"]
    assert not busy.go.is_set()
    busy.begun.clear()
    busy.go.set()
    operator.wait_for_status(operator.create_assigned(name), "completed")
    assert operator.get_intent(intent.id).state == {}
    assert operator.get_intent(intent.id).status == "active"
    assert operator.get_failures(intent.id) == []

    operator.move_to(operator.move_to(intent, "pending"), "active")  # Somebody says that it is to go on.

    operator.wait_for_status(intent, "completed")


@pytest.mark.rule("L-4")
def test_result_after_a_lost_lease_is_dropped(start_agent, operator, name):
    begun, revoked = threading.Event(), threading.Event()

    def work(intent):
        begun.set()
        assert revoked.wait(30)
        return {"late": True}

    start_agent(Worker(name, work))
    intent = operator.create_assigned(name)
    assert begun.wait(30)
    operator.revoke_lease(intent.id, lease_of(operator, intent).id)
    revoked.set()

    operator.wait_for_status(operator.create_assigned(name), "completed")
    assert operator.get_intent(intent.id).state == {}


def test_a_coroutine_is_cancelled_when_its_lease_is_lost(start_agent, operator, name):
    begun, ended = threading.Event(), []

    @Agent(name)
    class Async:
        @on_assignment
        async def work(self, intent):
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise

    start_agent(Async())
    intent = operator.create_assigned(name)
    assert begun.wait(30)
    operator.revoke_lease(intent.id, lease_of(operator, intent).id)

    until(lambda: ended, "the end")
    assert operator.get_failures(intent.id) == []


def test_expired_lease_is_reacquired_if_no_other_came_between(server, operator, name, busy):
    """As after a server was away for longer than the lease lasts: the work of an hour is not lost for that."""
    intent = operator.create_assigned(name)
    assert busy.begun.wait(30)
    first = lease_of(operator, intent)
    with OutOfReach(busy):
        operator.wait_for_events(intent, "lease_expired")

    second = until(lambda: [each for each in operator.get_leases(intent.id) if each.id != first.id], "another lease")
    renewals = operator.get_events(intent.id, event_type="lease_renewed")
    operator.wait_for_events(intent, "lease_renewed", len(renewals) + 1)  # The agent has had the response, and writes under it.
    busy.go.set()

    assert second[0].fencing_token == first.fencing_token + 1
    assert operator.wait_for_status(intent, "completed").state == {"done": True}
    assert busy.refused == []


def test_expired_lease_acquired_by_another_agent_is_lost(server, operator, name, busy):
    intent = operator.create_assigned(name)
    assert busy.begun.wait(30)
    with OutOfReach(busy):
        operator.wait_for_events(intent, "lease_expired")
        operator.acquire_lease(intent.id, "assignment")

    until(lambda: len(busy.refused) == 2, "two refusals")
    assert operator.get_intent(intent.id).state == {}


class OutOfReach:
    """Keeps the agents of this process from renewing leases."""

    def __init__(self, busy):
        self.patch = pytest.MonkeyPatch()

    def __enter__(self):
        from openintent.agents import _assignment_lease  # noqa: PLC0415

        self.reached = threading.Event()
        renew = _assignment_lease.AssignmentLease.renew
        self.patch.setattr(_assignment_lease.AssignmentLease, "renew", lambda hold: self.reached.wait(30) and renew(hold))

    def __exit__(self, *_):
        self.patch.undo()
        self.reached.set()


@pytest.mark.rule("L-1")
def test_an_agent_waits_until_the_lease_of_another_has_ended(start_agent, operator, name):
    intent = operator.create_intent("Something to do")
    lease = operator.acquire_lease(intent.id, "assignment")
    operator.assign_agent(intent.id, name)
    start_agent(Worker(name, lambda intent: {"done": True}))
    operator.wait_for_status(operator.create_assigned(name), "completed")
    assert operator.get_intent(intent.id).status == "draft"

    operator.release_lease(intent.id, lease.id)

    operator.wait_for_status(intent, "completed")


@pytest.mark.rule("L-1")
def test_the_scope_may_be_a_part_of_the_state(start_agent, operator, name):
    begun, go = threading.Event(), threading.Event()

    def work(intent):
        begun.set()
        assert go.wait(30)
        return {"draft": "mine"}

    start_agent(Worker(name, work, lease_scope="draft"))
    intent = operator.create_assigned(name)
    assert begun.wait(30)
    with pytest.raises(LeaseConflictError):
        operator.update_state(intent.id, operator.get_intent(intent.id).version, {"draft": "theirs"})
    go.set()

    assert operator.wait_for_status(intent, "completed").state == {"draft": "mine"}


def test_processes_with_one_id_share_the_assignments_and_handle_each_once(start_agent, operator, name):
    """As with `kubectl scale --replicas=3`."""
    handled = []
    for replica in range(3):
        start_agent(Worker(name, lambda intent, replica=replica: handled.append((intent.id, replica)), concurrency=2))
    intents = [operator.create_assigned(name) for _ in range(20)]

    for intent in intents:
        operator.wait_for_status(intent, "completed")

    assert sorted(pk for pk, _ in handled) == sorted(intent.id for intent in intents)
    for intent in intents:
        assert operator.event_types(intent).count("status_changed") == 2


def test_assignment_of_a_dead_process_is_handled_after_lease_expiry(start_agent, operator, name):
    intent = operator.create_assigned(name)
    dead = type(operator)(operator.base_url, "dev-user-key", name)
    dead.acquire_lease(intent.id, "assignment", 1)
    dead.set_status(intent.id, 1, "active")

    attempts = []
    start_agent(Worker(name, lambda intent, assignment: attempts.append(assignment.attempt)))

    operator.wait_for_status(intent, "completed")
    assert attempts == [2]
    types = operator.event_types(intent)
    assert types.index("lease_expired") < len(types) - 1 - types[::-1].index("lease_acquired")


def test_cancelled_assignment_has_a_reason(start_agent, operator, name):
    begun, said = threading.Event(), []

    def work(intent, assignment):
        begun.set()
        assignment.wait(30)
        try:
            assignment.raise_if_cancelled()
        except AssignmentCancelledError as error:
            said.append(error.message)
            raise

    start_agent(Worker(name, work))
    intent = operator.create_assigned(name)
    assert begun.wait(30)
    operator.revoke_lease(intent.id, lease_of(operator, intent).id, "enough")

    until(lambda: said, "a reason")
    assert said == ["boss has ended its lease (enough)"]


@pytest.mark.rule("K-12")
def test_write_refused_for_an_expired_lease_is_no_failure(start_agent, operator, name):
    """The lease was not renewed in time, as when the network hangs; nobody else has had it since."""
    attempts = []

    def work(intent, assignment):
        attempts.append(assignment.attempt)
        if assignment.attempt == 1:
            raise LeaseConflictError("no active lease", code="lease_lost") from expire(assignment)
        return {"done": True}

    def expire(assignment):
        with type(operator)(operator.base_url, "dev-user-key", name) as itself:
            itself.release_lease(assignment.intent.id, assignment.lease.id)

    start_agent(Worker(name, work, lease_seconds=60))
    intent = operator.create_assigned(name)

    operator.wait_for_status(intent, "completed")

    assert attempts == [1, 2]
    assert operator.get_failures(intent.id) == []


@pytest.mark.rule("K-12")
def test_write_refused_for_another_lease_is_a_failure(start_agent, operator, name):
    def work(intent):
        raise LeaseConflictError("no active lease", code="lease_lost")

    start_agent(Worker(name, work))
    intent = operator.create_assigned(name)
    operator.wait_for_status(intent, "blocked")
    assert [each.error_type for each in operator.get_failures(intent.id)] == ["LeaseConflictError"]
