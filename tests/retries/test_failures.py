"""POST and GET /intents/{id}/failures."""

from datetime import datetime

import pytest

from retries.models import Failure
from tests.conftest import Caller, fresh, log, set_status
from tests.retries.conftest import events


def url(intent):
    return f"/intents/{intent['id']}/failures"


def test_failure_is_recorded_as_reported(api, agent, make_intent):
    intent = make_intent()
    body = {
        "error_type": "rate_limit",
        "error_message": "API rate limit exceeded",
        "attempt": 1,
        "will_retry": True,
        "metadata": {"status": 429},
    }

    response = agent("ada").post(url(intent), body)

    failure = response.json()
    assert response.status_code == 201
    known = {"id": failure["id"], "created_at": failure["created_at"]}
    assert failure == {**body, **known, "intent_id": intent["id"], "agent_id": "ada", "retry_at": None, "resolved_at": None}
    assert api.get(url(intent)).json() == {"failures": [failure], "next": None}
    assert events(api, intent, "failure_recorded") == [
        {
            "failure_id": failure["id"],
            "agent_id": "ada",
            "error_type": "rate_limit",
            "attempt": 1,
            "will_retry": True,
            "retry_at": None,
        }
    ]
    assert log(api, intent) == [("intent_created", "dev-user"), ("failure_recorded", "ada")]
    assert fresh(api, intent)["version"] == 1


def test_aliases_of_failure_fields_are_accepted(api, make_intent):
    failure = api.post(url(make_intent()), {"error_code": "timeout", "attempt_number": 4}).json()

    assert (failure["error_type"], failure["attempt"]) == ("timeout", 4)


def test_failed_agent_is_the_actor(make_intent):
    intent = make_intent()

    unnamed = Caller("agent-research-key").post(url(intent), {"error_type": "timeout", "agent_id": "bob"}).json()
    named = Caller("agent-research-key", "ada").post(url(intent), {"error_type": "timeout", "agent_id": "bob"}).json()

    assert (unnamed["agent_id"], named["agent_id"]) == ("bob", "ada")


def test_failures_are_paged_in_order(api, make_intent, fail):
    intent = make_intent()
    made = [fail(intent, name) for name in ("ada", "bob", "ada", "cyd", "ada")]
    fail(make_intent())

    found, cursor = [], ""
    while cursor is not None:
        page = api.get(url(intent), limit=2, **({"cursor": cursor} if cursor else {})).json()
        found += page["failures"]
        cursor = page["next"]

    assert found == made


def test_attempts_are_counted_by_agent_from_the_reported_number(make_intent, fail):
    intent = make_intent()

    assert [fail(intent, name)["attempt"] for name in ("ada", "ada", "bob", "ada")] == [1, 2, 1, 3]
    assert fail(intent, "bob", attempt=7)["attempt"] == 7
    assert fail(intent, "bob", attempt=None)["attempt"] == 8


def test_new_run_begins_after_the_last_attempt(make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=2)

    assert [fail(intent)["attempt"] for _ in range(5)] == [1, 2, 1, 2, 1]


def test_failure_without_a_policy_is_not_retried(api, make_intent, fail):
    intent = make_intent()

    failure = fail(intent, attempt=100)

    assert (failure["will_retry"], failure["retry_at"]) == (False, None)
    assert events(api, intent, "retries_exhausted") == []


@pytest.mark.rule("R-2")
@pytest.mark.parametrize(
    ("policy", "failure", "will_retry"),
    [
        ({}, {}, True),
        ({}, {"attempt": 2}, True),
        ({}, {"attempt": 3}, False),
        ({"strategy": "none"}, {}, False),
        ({"retryable_errors": ["timeout"]}, {}, True),
        ({"retryable_errors": ["rate_limit"]}, {}, False),
        ({"max_attempts": 1}, {}, False),
    ],
)
def test_policy_determines_the_retry(make_intent, set_policy, fail, policy, failure, will_retry):
    intent = make_intent()
    set_policy(intent, **policy)

    recorded = fail(intent, **failure)

    assert recorded["will_retry"] is will_retry
    assert (recorded["retry_at"] is not None) is will_retry


@pytest.mark.rule("R-2")
def test_will_retry_is_recorded_but_only_the_policy_sets_a_time(make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, base_delay_seconds=10)

    gives_up = fail(intent, attempt=1, will_retry=False)
    goes_on = fail(intent, attempt=2, will_retry=True)
    insists = fail(intent, attempt=3, will_retry=True)

    assert [each["will_retry"] for each in (gives_up, goes_on, insists)] == [False, True, True]
    assert [each["retry_at"] is not None for each in (gives_up, goes_on, insists)] == [False, True, False]
    wait = datetime.fromisoformat(goes_on["retry_at"]) - datetime.fromisoformat(goes_on["created_at"])
    assert wait.total_seconds() == 20


def test_failure_on_a_final_intent_has_no_consequences(api, make_intent, set_policy, fail):
    intent = make_intent()
    set_policy(intent, max_attempts=1, fallback_agent_id="bob")
    set_status(api, intent, "abandoned")

    failure = fail(intent)

    assert (failure["will_retry"], failure["retry_at"]) == (False, None)
    assert log(api, intent)[-1] == ("failure_recorded", "ada")
    assert fresh(api, intent)["agents"] == []


def test_completion_resolves_the_failures(api, make_intent, fail):
    intent, other = make_intent(), make_intent()
    for each in (intent, intent, other):
        fail(each)

    set_status(api, intent, "completed")

    completed_at = fresh(api, intent)["updated_at"]
    assert [each["resolved_at"] for each in api.get(url(intent)).json()["failures"]] == [completed_at] * 2
    assert [each["resolved_at"] for each in api.get(url(other)).json()["failures"]] == [None]
    assert fail(intent)["attempt"] == 1


def test_abandoning_resolves_no_failure(api, make_intent, fail):
    intent = make_intent()
    fail(intent)

    set_status(api, intent, "abandoned")

    assert [each["resolved_at"] for each in api.get(url(intent)).json()["failures"]] == [None]


def test_repeated_idempotency_key_records_one_failure(api, make_intent):
    intent = make_intent()

    first, again = (api.post(url(intent), {"error_type": "timeout"}, idempotency_key="once") for _ in range(2))

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert Failure.objects.count() == 1
