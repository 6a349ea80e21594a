"""Invalid requests of retries, which write nothing."""

import pytest

from retries.models import Failure, RetryPolicy
from tests.conftest import Caller, log
from tests.retries.conftest import NOWHERE

POLICY, FAILURES = "/intents/{intent}/retry-policy", "/intents/{intent}/failures"


def bad_policy(about, says, **fields):
    return "PUT", POLICY, fields, 400, "invalid", about, says


def bad_failure(about, says, **fields):
    return "POST", FAILURES, {"error_type": "timeout", **fields}, 400, "invalid", about, says


BAD = {
    "an unknown strategy": bad_policy("strategy", "must be one of none, fixed, linear", strategy="fibonacci"),
    "a strategy that is a number": bad_policy("strategy", "must be one of", strategy=1),
    "no attempts": bad_policy("max_attempts", "must be 1 or more", max_attempts=0),
    "101 attempts": bad_policy("max_attempts", "must be 100 or less", max_attempts=101),
    "attempts as text": bad_policy("max_attempts", "must be a whole number", max_attempts="3"),
    "half an attempt": bad_policy("max_attempts", "must be a whole number", max_attempts=2.5),
    "attempts that are null": bad_policy("max_attempts", "cannot be null", max_attempts=None),
    "two names that disagree": bad_policy("max_retries", "alias of max_attempts", max_attempts=3, max_retries=4),
    "a delay as text": bad_policy("base_delay_seconds", "must be a number", base_delay_seconds="1.0"),
    "a delay that is true": bad_policy("base_delay_seconds", "must be a number", base_delay_seconds=True),
    "a negative delay": bad_policy("base_delay_seconds", "must be 0 or more", base_delay_seconds=-0.1),
    "a delay of more than a day": bad_policy("base_delay_seconds", "86400 or less", base_delay_seconds=86_400.5),
    "a cap of more than a week": bad_policy("max_delay_seconds", "604800 or less", max_delay_seconds=604_801),
    "a cap below the base": bad_policy("max_delay_seconds", "less than base", base_delay_seconds=5, max_delay_seconds=4.9),
    "a shrinking delay": bad_policy("backoff_multiplier", "must be 1 or more", backoff_multiplier=0.5),
    "jitter that is 1": bad_policy("jitter", "must be true or false", jitter=1),
    "errors that are a text": bad_policy("retryable_errors", "must be a list", retryable_errors="timeout"),
    "an error that is empty": bad_policy("retryable_errors", "cannot be empty", retryable_errors=["timeout", " "]),
    "101 errors": bad_policy("retryable_errors", "more than 100 entries", retryable_errors=["x"] * 101),
    "an empty fallback": bad_policy("fallback_agent_id", "cannot be empty", fallback_agent_id=""),
    "a threshold of 0": bad_policy("failure_threshold", "must be 1 or more", failure_threshold=0),
    "a threshold without a fallback": bad_policy("failure_threshold", "without a fallback_agent_id", failure_threshold=2),
    "an unknown setting": bad_policy("base_delay_second", "did you mean base_delay_seconds?", base_delay_second=1),
    "a policy that is a list": ("PUT", POLICY, [], 400, "invalid", "", "must be an object"),
    "a policy that is no JSON": ("PUT", POLICY, b"{jitter}", 400, "invalid", "", "not JSON"),
    "a policy of nothing": ("PUT", f"/intents/{NOWHERE}/retry-policy", {}, 404, "not_found", None, "No intent has the id"),
    "a policy of no id": ("PUT", "/intents/mine/retry-policy", {}, 404, "not_found", None, "No intent has the id"),
    "the policy of nothing": ("GET", f"/intents/{NOWHERE}/retry-policy", None, 404, "not_found", None, "No intent has the id"),
    "a policy to be deleted": ("DELETE", POLICY, None, 405, "method_not_allowed", None, ""),
    "a parameter that nobody reads": ("PUT", f"{POLICY}?force=1", {}, 400, "invalid", "force", "unknown parameter"),
    "no error type": ("POST", FAILURES, {}, 400, "invalid", "error_type", "is required"),
    "an error type of spaces": bad_failure("error_type", "cannot be empty", error_type="  "),
    "an error type of 201 characters": bad_failure("error_type", "longer than 200", error_type="x" * 201),
    "an error type that is a number": bad_failure("error_type", "must be text", error_type=429),
    "a message of 10,001 characters": bad_failure("error_message", "longer than 10000", error_message="x" * 10_001),
    "attempt 0": bad_failure("attempt", "must be 1 or more", attempt=0),
    "an attempt as text": bad_failure("attempt", "must be a whole number", attempt="1"),
    "attempt 1,000,001": bad_failure("attempt", "must be 1000000 or less", attempt=1_000_001),
    "a retry as text": bad_failure("will_retry", "must be true or false", will_retry="yes"),
    "metadata that is a list": bad_failure("metadata", "must be an object", metadata=[]),
    "an agent with a line break": bad_failure("agent_id", "control or format characters", agent_id="a\nb"),
    "the server as agent": bad_failure("agent_id", "reserved for the server", agent_id="system"),
    "a time that the server sets": bad_failure("retry_at", "unknown field", retry_at="2030-01-01T00:00:00Z"),
    "too much metadata": (
        "POST", FAILURES, {"error_type": "x", "metadata": {"x": "x" * 2**18}}, 413, "too_large", None, "262144 bytes",
    ),
    "a failure of nothing": ("POST", f"/intents/{NOWHERE}/failures", {"error_type": "x"}, 404, "not_found", None, "No intent has the id"),
    "the failures of nothing": ("GET", f"/intents/{NOWHERE}/failures", None, 404, "not_found", None, "No intent has the id"),
    "an unknown filter": ("GET", f"{FAILURES}?agent=ada", None, 400, "invalid", "agent", "unknown parameter"),
    "a cursor from elsewhere": ("GET", f"{FAILURES}?cursor=abc", None, 400, "invalid", "cursor", "is not a cursor of this list"),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "code", "about", "says"), BAD.values(), ids=BAD.keys())
def test_invalid_request_is_refused_and_writes_nothing(api, make_intent, method, path, body, status, code, about, says):
    intent = make_intent()

    response = Caller().send(method, path.format(intent=intent["id"]), body)

    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert says in problem["detail"], problem
    if about is not None:
        assert problem["errors"][0]["field"].startswith(about), problem
    assert_nothing_written(api, intent)


@pytest.mark.parametrize(("method", "path", "body"), [("PUT", POLICY, {}), ("POST", FAILURES, {"error_type": "timeout"})])
def test_observer_writes_nothing(api, make_intent, method, path, body):
    intent = make_intent()
    key = api.post("/keys", {"name": "reader", "role": "observer"}).json()["key"]

    response = Caller(key).send(method, path.format(intent=intent["id"]), body)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert_nothing_written(api, intent)


def test_bound_key_records_no_failure_of_another_agent(api, make_intent):
    intent = make_intent()
    key = api.post("/keys", {"name": "ada's", "role": "agent", "agent_id": "ada"}).json()["key"]

    response = Caller(key).post(FAILURES.format(intent=intent["id"]), {"error_type": "timeout", "agent_id": "bob"})

    assert (response.status_code, response.json()["code"]) == (403, "agent_mismatch")
    assert_nothing_written(api, intent)


@pytest.mark.rule("L-4")
@pytest.mark.parametrize(("method", "path", "body"), [("PUT", POLICY, {}), ("POST", FAILURES, {"error_type": "timeout"})])
def test_lost_lease_prevents_the_write(api, make_intent, method, path, body):
    intent = make_intent()

    response = api.send(method, path.format(intent=intent["id"]), body, x_fencing_token="7")

    assert (response.status_code, response.json()["code"]) == (409, "lease_lost")
    assert_nothing_written(api, intent)


def assert_nothing_written(api, intent):
    assert not RetryPolicy.objects.exists()
    assert not Failure.objects.exists()
    assert log(api, intent) == [("intent_created", "dev-user")]
