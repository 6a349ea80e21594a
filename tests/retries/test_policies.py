"""PUT and GET /intents/{id}/retry-policy."""

from retries.models import RetryPolicy
from tests.conftest import log
from tests.retries.conftest import events

DEFAULTS = {
    "strategy": "exponential",
    "max_attempts": 3,
    "base_delay_seconds": 1.0,
    "max_delay_seconds": 300.0,
    "backoff_multiplier": 2.0,
    "jitter": True,
    "retryable_errors": [],
    "fallback_agent_id": None,
    "failure_threshold": None,
}
FULL = {
    "strategy": "linear",
    "max_attempts": 5,
    "base_delay_seconds": 0.5,
    "max_delay_seconds": 60,
    "backoff_multiplier": 1.5,
    "jitter": False,
    "retryable_errors": ["timeout", "rate_limit"],
    "fallback_agent_id": "team/bot",
    "failure_threshold": 2,
}


def url(intent):
    return f"/intents/{intent['id']}/retry-policy"


def test_policy_is_set_and_read(api, agent, make_intent):
    intent = make_intent()

    response = agent("ada").send("PUT", url(intent), FULL)

    policy = response.json()
    assert response.status_code == 200
    assert policy == {
        "intent_id": intent["id"],
        **FULL,
        "created_at": policy["created_at"],
        "updated_at": policy["created_at"],
    }
    assert api.get(url(intent)).json() == policy
    assert RetryPolicy.objects.get().max_attempts == 5
    assert events(api, intent, "retry_policy_set") == [FULL]
    assert log(api, intent)[-1] == ("retry_policy_set", "ada")


def test_omitted_settings_take_their_defaults_again(api, make_intent):
    intent = make_intent()
    before = api.send("PUT", url(intent), FULL).json()

    after = api.send("PUT", url(intent), {}).json()

    assert {name: after[name] for name in DEFAULTS} == DEFAULTS
    assert after["created_at"] == before["created_at"] < after["updated_at"]
    assert api.get(url(intent)).json() == after
    assert events(api, intent, "retry_policy_set") == [FULL, DEFAULTS]


def test_repeated_policy_writes_nothing(api, make_intent):
    intent = make_intent()
    first = api.send("PUT", url(intent), FULL)

    again = api.send("PUT", url(intent), {**FULL, "max_delay_seconds": 60.0})

    assert (again.status_code, again.json()) == (200, first.json())
    assert len(events(api, intent, "retry_policy_set")) == 1


def test_policy_is_no_new_version_and_changes_no_other_intent(api, make_intent):
    intent, other = make_intent(), make_intent()

    api.send("PUT", url(intent), {})

    assert api.get(f"/intents/{intent['id']}").json()["version"] == 1
    assert api.get(url(other)).status_code == 404


def test_max_retries_is_an_alias_of_max_attempts(api, make_intent):
    assert api.send("PUT", url(make_intent()), {"max_retries": 7}).json()["max_attempts"] == 7


def test_base_delay_above_the_default_cap_raises_it(api, make_intent):
    assert api.send("PUT", url(make_intent()), {"base_delay_seconds": 900}).json()["max_delay_seconds"] == 900


def test_missing_policy_is_not_found(api, make_intent):
    response = api.get(url(make_intent()))

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "no retry policy" in response.json()["detail"]
