"""Retry policies and failures (RFC-0010), with both clients."""

import pytest
from openintent import Failure, NotFoundError, RetryPolicy, RetryStrategy
from openintent.validation import InputValidationError, validate_failure, validate_retry_policy

from tests.system.concurrent_clients import until

from .samples import INTENT

pytestmark = pytest.mark.database("sqlite")


ID = INTENT["id"]
HERE = f"/api/v1/intents/{ID}"
AT = "2026-01-02T03:04:05.678901Z"
POLICY = {
    "intent_id": ID,
    "strategy": "exponential",
    "max_attempts": 5,
    "base_delay_seconds": 1.0,
    "max_delay_seconds": 60.0,
    "backoff_multiplier": 2.0,
    "jitter": True,
    "retryable_errors": ["timeout"],
    "fallback_agent_id": None,
    "failure_threshold": None,
    "created_at": AT,
    "updated_at": AT,
}
FAILURE = {
    "id": "44444444-4444-4444-8444-444444444444",
    "intent_id": ID,
    "agent_id": "ada",
    "error_type": "timeout",
    "error_message": None,
    "attempt": 1,
    "will_retry": True,
    "retry_at": AT,
    "resolved_at": None,
    "metadata": {},
    "created_at": AT,
}


@pytest.fixture
def live(connect, server):
    return connect(server.url, "dev-user-key", "ada")


@pytest.fixture
def intent(live):
    return live.create_intent(title="Something to do")


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_policy_is_put_without_omitted_arguments(client, script):
    script.respond(POLICY, POLICY)

    client.set_retry_policy(ID)
    policy = client.set_retry_policy(
        ID,
        strategy=RetryStrategy.LINEAR,
        max_attempts=5,
        base_delay_seconds=0,
        max_delay_seconds=60.0,
        backoff_multiplier=1.5,
        jitter=False,
        retryable_errors=["timeout"],
        fallback_agent_id="team/bot",
        failure_threshold=2,
    )

    assert [(seen.method, seen.target) for seen in script.seen] == [("PUT", f"{HERE}/retry-policy")] * 2
    assert [seen.body for seen in script.seen] == [
        {},
        {
            "strategy": "linear",
            "max_attempts": 5,
            "base_delay_seconds": 0,
            "max_delay_seconds": 60.0,
            "backoff_multiplier": 1.5,
            "jitter": False,
            "retryable_errors": ["timeout"],
            "fallback_agent_id": "team/bot",
            "failure_threshold": 2,
        },
    ]
    assert policy == RetryPolicy.from_json(POLICY)
    assert policy.strategy is RetryStrategy.EXPONENTIAL


@pytest.mark.rule("K-2")
def test_put_of_a_policy_is_retried(client, script):
    script.respond((503, {}, {}), POLICY)

    assert client.set_retry_policy(ID).max_attempts == 5
    assert len(script.seen) == 2


def test_failure_is_posted_without_omitted_arguments(client, script):
    script.respond(*[(201, FAILURE, {})] * 2)

    client.record_failure(ID, "timeout")
    failure = client.record_failure(
        ID, "timeout", "", attempt=2, will_retry=False, metadata={"a": None}, agent_id="bob", idempotency_key="once"
    )

    assert [(seen.method, seen.target) for seen in script.seen] == [("POST", f"{HERE}/failures")] * 2
    assert [seen.body for seen in script.seen] == [
        {"error_type": "timeout"},
        {
            "error_type": "timeout",
            "error_message": "",
            "attempt": 2,
            "will_retry": False,
            "metadata": {"a": None},
            "agent_id": "bob",
        },
    ]
    assert script.seen[1].headers["Idempotency-Key"] == "once"
    assert failure == Failure.from_json(FAILURE)
    assert failure.retry_at == failure.created_at


# --- the live server ------------------------------------------------------------------------------------------------


@pytest.mark.rule("R-2")
def test_the_servers_worker_announces_the_retry(live, intent):
    live.set_retry_policy(intent.id, base_delay_seconds=0)
    failure = live.record_failure(intent.id, "timeout")

    retries = until(lambda: live.get_events(intent.id, event_type="retry_due"), "the retry in the log")

    assert [event.payload for event in retries] == [{"failure_id": failure.id, "agent_id": "ada", "attempt": 2}]


def test_an_intent_without_a_policy_is_not_found(live, intent):
    with pytest.raises(NotFoundError):
        live.get_retry_policy(intent.id)


def test_the_first_failures_can_be_asked_for(live, intent):
    made = [live.record_failure(intent.id, "timeout") for _ in range(3)]

    assert live.get_failures(intent.id) == made
    assert live.get_failures(intent.id, limit=2) == made[:2]


# --- what is not sent -----------------------------------------------------------------------------------------------


@pytest.mark.rule("K-3")
@pytest.mark.parametrize(
    ("policy", "field", "message"),
    [
        ({"strategy": "fibonacci"}, "strategy", "must be one of none, fixed, linear, exponential, not 'fibonacci'"),
        ({"strategy": []}, "strategy", "must be one of"),
        ({"max_attempts": 0}, "max_attempts", "must be a whole number from 1 to 100"),
        ({"max_attempts": True}, "max_attempts", "must be a whole number"),
        ({"failure_threshold": 1.0}, "failure_threshold", "must be a whole number"),
        ({"base_delay_seconds": -1}, "base_delay_seconds", "must be a number from 0 to 86,400"),
        ({"base_delay_seconds": "1"}, "base_delay_seconds", "must be a number"),
        ({"base_delay_seconds": float("nan")}, "base_delay_seconds", "must be a number"),
        ({"max_delay_seconds": True}, "max_delay_seconds", "must be a number"),
        ({"backoff_multiplier": 0.9}, "backoff_multiplier", "must be a number from 1 to 100"),
        ({"base_delay_seconds": 5, "max_delay_seconds": 4}, "max_delay_seconds", "cannot be less than base_delay_seconds"),
        ({"max_delay_seconds": 0.5}, "max_delay_seconds", "cannot be less than base_delay_seconds"),
        ({"jitter": 1}, "jitter", "must be True or False"),
        ({"retryable_errors": "timeout"}, "retryable_errors", "must be a list"),
        ({"retryable_errors": ["x"] * 101}, "retryable_errors", "at most 100"),
        ({"retryable_errors": ["timeout", ""]}, "retryable_errors", "cannot be empty"),
        ({"fallback_agent_id": ""}, "fallback_agent_id", "cannot be empty"),
    ],
)
def test_a_policy_is_checked_before_it_is_sent(policy, field, message):
    with pytest.raises(InputValidationError, match=field) as caught:
        validate_retry_policy(**policy)

    assert caught.value.field == field
    assert message in str(caught.value)


@pytest.mark.rule("K-3")
@pytest.mark.parametrize(
    ("failure", "field"),
    [
        ({"error_type": ""}, "error_type"),
        ({"error_type": None}, "error_type"),
        ({"error_type": "x" * 201}, "error_type"),
        ({"error_type": "x", "error_message": "x" * 10_001}, "error_message"),
        ({"error_type": "x", "attempt": 0}, "attempt"),
        ({"error_type": "x", "attempt": "1"}, "attempt"),
        ({"error_type": "x", "will_retry": "yes"}, "will_retry"),
        ({"error_type": "x", "metadata": []}, "metadata"),
        ({"error_type": "x", "agent_id": ""}, "agent_id"),
    ],
)
def test_a_failure_is_checked_before_it_is_sent(failure, field):
    with pytest.raises(InputValidationError) as caught:
        validate_failure(**failure)

    assert caught.value.field == field


@pytest.mark.rule("K-3")
def test_invalid_policies_are_not_sent(client, script):
    with pytest.raises(InputValidationError):
        client.set_retry_policy(ID, max_attempts=0)
    with pytest.raises(InputValidationError):
        client.record_failure(ID, "")

    assert script.seen == []
