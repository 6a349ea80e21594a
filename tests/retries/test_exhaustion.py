"""Exhausted retries, and the fallback agent (rule R-3)."""

import pytest

from retries import services
from retries.models import Failure
from tests.conftest import fresh, log
from tests.retries.conftest import events, make_due

pytestmark = pytest.mark.rule("R-3")


def acquire(caller, intent, scope):
    response = caller.post(f"/intents/{intent['id']}/leases", {"scope": scope})
    assert response.status_code == 201, response.json()
    return response.json()


def agents(api, intent):
    return [(each["agent_id"], each["role"]) for each in fresh(api, intent)["agents"]]


# --- exhausted ------------------------------------------------------------------------------------------------------


def test_last_attempt_exhausts_the_retries(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=3)

    failures = [fail(intent) for _ in range(3)]

    assert [each["will_retry"] for each in failures] == [True, True, False]
    assert events(api, intent, "retries_exhausted") == [{"agent_id": "ada", "attempts": 3, "error_type": "timeout"}]
    assert log(api, intent)[-2:] == [("failure_recorded", "ada"), ("retries_exhausted", "system")]


def test_non_retryable_error_exhausts_the_retries_at_once(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, retryable_errors=["timeout"])

    fail(intent, error_type="bad_credentials")

    assert events(api, intent, "retries_exhausted") == [{"agent_id": "ada", "attempts": 1, "error_type": "bad_credentials"}]


def test_run_is_exhausted_once_despite_further_failures(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=2)

    for attempt in range(1, 6):
        fail(intent, attempt=attempt)

    assert [each["attempts"] for each in events(api, intent, "retries_exhausted")] == [2]


def test_each_run_is_exhausted_separately(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=2)

    for name in ("ada", "bob", "ada", "ada", "bob", "ada"):
        fail(intent, name)

    assert [each["agent_id"] for each in events(api, intent, "retries_exhausted")] == ["ada", "bob", "ada"]


def test_reported_attempt_1_after_exhaustion_begins_a_new_run(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=2)

    for attempt in (1, 2, 1, 2):
        fail(intent, attempt=attempt)

    assert [each["attempts"] for each in events(api, intent, "retries_exhausted")] == [2, 2]


def test_more_attempts_in_the_policy_extend_the_run(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=1)
    fail(intent)
    set_policy(intent, max_attempts=3)

    went_on = fail(intent, attempt=2)
    fail(intent)

    assert went_on["retry_at"]
    assert [each["attempts"] for each in events(api, intent, "retries_exhausted")] == [1, 3]


# --- fallback -------------------------------------------------------------------------------------------------------


def test_fallback_agent_takes_over_at_exhaustion(api, agent, make_intent, set_policy, fail):
    intent = make_intent(assign=[{"agent_id": "ada", "role": "lead"}, "cyd"])
    set_policy(intent, max_attempts=2, fallback_agent_id="bob")
    mine, others = acquire(agent("ada"), intent, "draft"), acquire(agent("cyd"), intent, "notes")

    fail(intent)
    assert agents(api, intent) == [("ada", "lead"), ("cyd", "worker")]
    fail(intent)

    assert agents(api, intent) == [("cyd", "worker"), ("bob", "lead")]
    leases = {each["id"]: each["status"] for each in api.get(f"/intents/{intent['id']}/leases").json()["leases"]}
    assert leases == {mine["id"]: "released", others["id"]: "active"}
    assert events(api, intent, "fallback_triggered") == [{"from_agent": "ada", "to_agent": "bob", "failures": 2}]
    assert log(api, intent)[-6:] == [
        ("failure_recorded", "ada"),
        ("retries_exhausted", "system"),
        ("lease_released", "system"),
        ("agent_unassigned", "system"),
        ("agent_assigned", "system"),
        ("fallback_triggered", "system"),
    ]
    assert events(api, intent, "lease_released")[0]["reason"] == "fallback"


def test_fallback_at_the_threshold_cancels_the_retry(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=5, failure_threshold=2, fallback_agent_id="bob")

    first, second, third = fail(intent), fail(intent), fail(intent)

    assert (first["retry_at"] is None, second["retry_at"], third["retry_at"]) == (False, None, None)
    assert agents(api, intent) == [("bob", "worker")]
    assert events(api, intent, "fallback_triggered") == [{"from_agent": "ada", "to_agent": "bob", "failures": 2}]
    assert events(api, intent, "retries_exhausted") == []


def test_non_retryable_error_counts_toward_the_threshold(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=5, failure_threshold=2, fallback_agent_id="bob", retryable_errors=["timeout"])

    fail(intent, error_type="bad_credentials")

    assert len(events(api, intent, "retries_exhausted")) == 1
    assert agents(api, intent) == [("ada", "worker")]


def test_threshold_beyond_the_attempts_does_not_delay_the_fallback(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=2, failure_threshold=9, fallback_agent_id="bob")

    fail(intent, attempt=2)

    assert agents(api, intent) == [("bob", "worker")]


def test_fallback_is_triggered_once_despite_further_failures(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=2, fallback_agent_id="bob")

    for _ in range(7):
        fail(intent)

    assert len(events(api, intent, "fallback_triggered")) == 1
    assert agents(api, intent) == [("bob", "worker")]


def test_reassigned_agent_begins_a_new_run(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=5, failure_threshold=1, fallback_agent_id="bob")
    fail(intent)
    api.post(f"/intents/{intent['id']}/agents", {"agent_id": "ada", "role": "helper"})

    assert fail(intent)["attempt"] == 1

    assert len(events(api, intent, "fallback_triggered")) == 2
    assert agents(api, intent) == [("bob", "helper")]


def test_failures_of_the_fallback_agent_trigger_no_fallback(api, make_intent, set_policy, fail):
    intent = make_intent(assign="bob")
    set_policy(intent, max_attempts=1, failure_threshold=1, fallback_agent_id="bob")

    fail(intent, "bob")

    assert events(api, intent, "fallback_triggered") == []
    assert len(events(api, intent, "retries_exhausted")) == 1
    assert agents(api, intent) == [("bob", "worker")]


def test_assigned_fallback_agent_keeps_its_role(api, make_intent, set_policy, fail):
    intent = make_intent(assign=["ada", {"agent_id": "bob", "role": "lead"}])
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")

    fail(intent)

    assert agents(api, intent) == [("bob", "worker")]
    assert [kind for kind, _ in log(api, intent)][-2:] == ["agent_assigned", "fallback_triggered"]


def test_two_agents_are_each_replaced_once(api, make_intent, set_policy, fail):
    intent = make_intent(assign=["ada", "cyd"])
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")

    fail(intent, "ada")
    fail(intent, "cyd")

    assert [each["from_agent"] for each in events(api, intent, "fallback_triggered")] == ["ada", "cyd"]
    assert agents(api, intent) == [("bob", "worker")]


def test_retry_of_a_replaced_agent_is_not_announced(api, make_intent, set_policy, fail):
    intent = make_intent(assign="ada")
    set_policy(intent, max_attempts=5, failure_threshold=2, fallback_agent_id="bob")
    first = fail(intent)
    fail(intent)

    make_due(first)

    assert services.announce_retry(Failure.objects.get(pk=first["id"]).pk) is True
    assert events(api, intent, "retry_due") == []


def test_replay_of_a_fallback_equals_the_intent(api, agent, make_intent, set_policy, fail):
    intent = make_intent(assign={"agent_id": "ada", "role": "lead"})
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")
    acquire(agent("ada"), intent, "draft")

    fail(intent)

    log_of = api.get(f"/intents/{intent['id']}/events", limit=1000).json()["events"]
    assert [each["sequence"] for each in log_of] == list(range(1, len(log_of) + 1))
    assert fresh(api, intent)["last_sequence"] == len(log_of)
    assert fresh(api, intent)["version"] == 1
