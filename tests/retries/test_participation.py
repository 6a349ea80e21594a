"""Participation: the failures that count, and reported attempts (rule R-4)."""

import pytest

from jobs.worker import run_due_tasks
from retries.models import Failure
from tests.conftest import fresh, log, set_status
from tests.retries.conftest import events, make_due
from tests.retries.test_exhaustion import acquire, agents

pytestmark = pytest.mark.rule("R-4")

CONSEQUENCES = ("retries_exhausted", "fallback_triggered", "retry_due", "lease_released", "agent_unassigned")


def consequences(api, intent):
    return [kind for kind, _ in log(api, intent) if kind in CONSEQUENCES]


def assign(api, intent, agent_id):
    assert api.post(f"/intents/{intent['id']}/agents", {"agent_id": agent_id}).status_code in (200, 201)


def unassign(api, intent, agent_id):
    assert api.delete(f"/intents/{intent['id']}/agents/{agent_id}").status_code == 204


# --- the count is the server's --------------------------------------------------------------------------------------


def test_client_that_always_reports_attempt_1_exhausts_its_attempts(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=3, fallback_agent_id="bob")

    failures = [fail(intent, attempt=1) for _ in range(3)]

    assert [each["attempt"] for each in failures] == [1, 2, 3]
    assert [each["retry_at"] is not None for each in failures] == [True, True, False]
    assert agents(api, intent) == [("bob", "worker")]


def test_later_reported_attempt_is_used_and_an_earlier_one_is_not(make_intent, fail):
    intent = make_intent()

    assert [fail(intent, attempt=attempt)["attempt"] for attempt in (3, 2, 1, None, 9, 9)] == [3, 4, 5, 6, 9, 10]


# --- strangers ------------------------------------------------------------------------------------------------------


@pytest.mark.case("coordination O5")
@pytest.mark.parametrize(
    "policy", [{"max_attempts": 1}, {"strategy": "none"}, {"failure_threshold": 1}, {"retryable_errors": ["x"]}]
)
def test_failure_of_a_non_participant_has_no_consequences(api, agent, make_intent, set_policy, fail, policy):
    intent = make_intent(assign="ada")
    set_policy(intent, fallback_agent_id="bob", **policy)
    lease = acquire(agent("ada"), intent, "draft")

    failures = [fail(intent, "passer-by", attempt=attempt) for attempt in (None, 100, None)]

    assert [(each["will_retry"], each["retry_at"]) for each in failures] == [(False, None)] * 3
    assert agents(api, intent) == [("ada", "worker")]
    assert consequences(api, intent) == []
    assert api.get(f"/intents/{intent['id']}/leases").json()["leases"] == [lease]
    assert [kind for kind, who in log(api, intent) if who == "passer-by"] == ["failure_recorded"] * 3


@pytest.mark.case("coordination O5")
def test_failures_before_the_assignment_use_no_attempts(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=2)
    for _ in range(3):
        fail(intent, "bob")
    assign(api, intent, "bob")

    first, second = fail(intent, "bob"), fail(intent, "bob")

    assert [first["attempt"], second["attempt"]] == [1, 2]
    assert (first["will_retry"], second["will_retry"]) == (True, False)


@pytest.mark.case("coordination O5")
def test_late_failure_of_a_reassigned_agent_has_no_consequences(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")
    unassign(api, intent, "ada")
    assign(api, intent, "carol")
    before = agents(api, intent)

    fail(intent, "ada")

    assert agents(api, intent) == before == [("carol", "worker")]
    assert consequences(api, intent) == ["agent_unassigned"]


@pytest.mark.case("coordination O5")
def test_late_failure_of_an_unassigned_agent_has_no_consequences(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")
    unassign(api, intent, "ada")

    fail(intent, "ada")

    assert agents(api, intent) == []


def test_lease_holder_is_a_participant_without_assignment(api, agent, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")
    acquire(agent("helper"), intent, "notes")

    fail(intent, "helper")

    assert agents(api, intent) == [("ada", "worker"), ("bob", "worker")]
    assert "fallback_triggered" in consequences(api, intent)


def test_agent_beside_another_lease_holder_is_no_participant(api, agent, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")
    acquire(agent("ada"), intent, "draft")

    fail(intent, "passer-by")

    assert agents(api, intent) == []
    assert consequences(api, intent) == []


def test_every_agent_is_a_participant_of_an_unassigned_intent(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=2, fallback_agent_id="bob")

    assert fail(intent)["retry_at"]
    fail(intent)

    assert agents(api, intent) == [("bob", "worker")]


# --- every strategy -------------------------------------------------------------------------------------------------


@pytest.mark.case("coordination P21")
@pytest.mark.parametrize("strategy", ["none", "fixed", "linear", "exponential"])
@pytest.mark.parametrize("threshold", [{}, {"failure_threshold": 1}, {"failure_threshold": 2}])
def test_fallback_takes_over_with_every_strategy(api, make_intent, set_policy, fail, strategy, threshold):
    intent = make_intent(assign="ada")
    set_policy(intent, strategy=strategy, max_attempts=2, fallback_agent_id="bob", **threshold)

    while agents(api, intent) == [("ada", "worker")]:
        assert fail(intent)["attempt"] <= 2

    assert agents(api, intent) == [("bob", "worker")]
    assert len(events(api, intent, "fallback_triggered")) == 1


@pytest.mark.case("coordination P21")
def test_strategy_none_is_exhausted_by_the_first_failure(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, strategy="none", fallback_agent_id="bob")

    failure = fail(intent)

    assert (failure["will_retry"], failure["retry_at"]) == (False, None)
    assert events(api, intent, "retries_exhausted") == [{"agent_id": "ada", "attempts": 1, "error_type": "timeout"}]
    assert events(api, intent, "fallback_triggered") == [{"from_agent": "ada", "to_agent": "bob", "failures": 1}]


def test_non_retryable_errors_reach_the_threshold(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=5, failure_threshold=2, fallback_agent_id="bob", retryable_errors=["timeout"])

    fail(intent, error_type="bad_credentials")
    fail(intent, error_type="bad_credentials")

    assert agents(api, intent) == [("bob", "worker")]
    assert events(api, intent, "fallback_triggered") == [{"from_agent": "ada", "to_agent": "bob", "failures": 2}]


# --- who is told ----------------------------------------------------------------------------------------------------


@pytest.mark.case("coordination P24")
@pytest.mark.parametrize("others", [[], ["bob"]])
def test_retry_of_an_unassigned_agent_is_not_announced(api, make_intent, set_policy, fail, others):
    intent = make_intent(assign=["ada", *others])
    set_policy(intent, max_attempts=3)
    failure = fail(intent)
    unassign(api, intent, "ada")
    make_due(failure)

    assert [run_due_tasks(), run_due_tasks()] == [1, 0]

    assert events(api, intent, "retry_due") == []
    assert Failure.objects.get().retry_settled_at is not None


@pytest.mark.case("coordination P24")
def test_retry_of_a_reassigned_agent_is_announced(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=3)
    failure = fail(intent)
    unassign(api, intent, "ada")
    assign(api, intent, "ada")
    make_due(failure)

    run_due_tasks()

    assert events(api, intent, "retry_due") == [{"failure_id": failure["id"], "agent_id": "ada", "attempt": 2}]


@pytest.mark.case("coordination P24")
def test_retry_on_an_abandoned_intent_is_not_announced(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=3)
    failure = fail(intent)
    set_status(api, intent, "abandoned")
    make_due(failure)

    run_due_tasks()

    assert events(api, intent, "retry_due") == []
    assert fresh(api, intent)["status"] == "abandoned"
