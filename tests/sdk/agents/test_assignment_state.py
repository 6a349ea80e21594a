"""Assignment state, derived from the log."""

from itertools import count

import pytest
from openintent import Event
from openintent.agents._assignment_state import QUESTION, AssignmentState, question_mark, with_result_mark

from ..samples import EVENT


class Log:
    def __init__(self):
        self.events, self.numbers = [], count(1)

    def add(self, event_type, actor="boss", **payload):
        number = next(self.numbers)
        event = {
            **EVENT,
            "id": f"event-{number}",
            "sequence": number,
            "event_type": event_type,
            "actor": actor,
            "payload": payload,
        }
        self.events.append(Event.from_json(event))

    def state(self):
        state = AssignmentState("ada", "assignment")
        state.apply(self.events)
        return state


@pytest.fixture
def log():
    log = Log()
    log.add("agent_assigned", agent_id="ada")
    return log


def patch(log, assignment, **about):
    log.add("state_patched", "ada", patches=with_result_mark([{"op": "set", "path": "a", "value": 1}], assignment, **about))


def ask(log, number, mark, actor="ada"):
    log.add("arbitration_requested", actor, arbitration_id=number, context={QUESTION: mark})


def test_own_questions_of_this_assignment_are_open_until_they_end(log):
    for number, assignment, waits in [(1, "event-1", False), (2, "event-1", True), (3, "event-0", False), (4, "event-1", False)]:
        ask(log, number, question_mark("pay", assignment, waits=waits))
    ask(log, 5, question_mark("pay", "event-1", waits=False), actor="eve")
    ask(log, 6, "openintent")
    patch(log, "event-1", completes=False)
    assert (log.state().open, log.state().answered, log.state().is_settled) == ({1, 4}, [], True)

    for number, end in [(4, "arbitration_expired"), (5, "decision_recorded"), (1, "decision_recorded"), (1, "decision_recorded")]:
        log.add(end, arbitration_id=number)

    assert (log.state().open, log.state().answered, log.state().is_settled) == (set(), [4, 1], False)


def test_mark_of_a_result_names_the_answer(log):
    ask(log, 1, question_mark("pay", "event-1", waits=False))
    log.add("arbitration_withdrawn", arbitration_id=1)
    patch(log, "event-1", completes=False)
    assert [log.state().has_result(each) for each in (None, 1)] == [True, False]
    patch(log, "event-1", completes=True, question=1)
    assert [log.state().has_result(each) for each in (None, 1)] == [True, True]


def test_unassigned_agent_has_no_work():
    log = Log()
    log.add("agent_assigned", agent_id="bob")
    assert log.state().is_settled


def test_assigned_agent_has_work(log):
    state = log.state()
    assert (state.is_settled, state.is_handled, state.starts) == (False, False, 0)


def test_starts_count_leases_with_the_scope(log):
    for agent_id, scope in [("ada", "assignment"), ("ada", "other"), ("bob", "assignment"), ("ada", "assignment")]:
        log.add("lease_acquired", agent_id, agent_id=agent_id, scope=scope)
    assert log.state().starts == 2


@pytest.mark.parametrize("completes", [True, False])
def test_result_mark_means_handled(log, completes):
    patch(log, "event-1", completes=completes)
    state = log.state()
    assert state.is_handled
    assert state.is_settled is not completes


@pytest.mark.parametrize(
    "patches", [[], [{"op": "set", "path": "a", "value": 1}], [{"op": "remove", "path": "openintent.assignment"}]]
)
def test_patches_without_the_mark_are_ignored(log, patches):
    log.add("state_patched", "ada", patches=patches)
    patch(log, "event-0", completes=True)
    assert not log.state().is_handled


def test_reassignment_resets_the_state(log):
    patch(log, "event-1", completes=False)
    log.add("failure_recorded", "ada", agent_id="ada")
    log.add("agent_assigned", agent_id="bob")
    assert log.state().is_settled
    log.add("agent_assigned", agent_id="ada")
    assert not log.state().is_settled


@pytest.mark.parametrize("end", ["failure_recorded", "lease_revoked"])
@pytest.mark.parametrize(
    ("event_type", "actor", "payload", "goes_on"),
    [
        ("retry_due", "system", {"agent_id": "ada"}, True),
        ("retry_due", "system", {"agent_id": "bob"}, False),
        ("status_changed", "boss", {"to": "pending"}, True),
        ("status_changed", "system", {"to": "active"}, True),
        ("status_changed", "boss", {"to": "blocked"}, False),
        ("status_changed", "ada", {"to": "pending"}, False),
    ],
)
def test_stopped_assignment_resumes_by_retry_or_status(log, end, event_type, actor, payload, goes_on):
    log.add(end, "ada", agent_id="ada", scope="assignment")
    assert log.state().is_settled
    log.add(event_type, actor, **payload)
    assert log.state().is_settled is not goes_on


def test_failures_of_other_agents_do_not_stop_this_one(log):
    log.add("failure_recorded", "bob", agent_id="bob")
    log.add("lease_revoked", "boss", agent_id="ada", scope="other")
    assert not log.state().is_settled
