"""Announcement of due retries by the worker (rule R-2)."""

from uuid import UUID

import pytest

from jobs.worker import run_due_tasks
from retries import services
from retries.models import Failure
from tests.conftest import log, set_status
from tests.retries.conftest import NOWHERE, events, make_due

pytestmark = [pytest.mark.rule("R-2"), pytest.mark.database("sqlite", "postgresql")]


@pytest.fixture
def intent(make_intent, set_policy):
    intent = make_intent()
    set_policy(intent, max_attempts=5)
    return intent


def test_due_retry_is_announced_once(api, intent, fail):
    failure = fail(intent)
    make_due(failure)

    assert [run_due_tasks(), run_due_tasks()] == [1, 0]

    assert events(api, intent, "retry_due") == [{"failure_id": failure["id"], "agent_id": "ada", "attempt": 2}]
    assert log(api, intent)[-1] == ("retry_due", "system")
    assert Failure.objects.get().retry_settled_at is not None


def test_retry_is_not_announced_before_its_time(api, intent, fail):
    failure = fail(intent)

    assert services.due_retries(10) == []
    assert services.announce_retry(UUID(failure["id"])) is False

    assert events(api, intent, "retry_due") == []
    assert Failure.objects.get().retry_settled_at is None


def test_second_worker_does_not_announce_a_retry_again(api, intent, fail):
    failure = fail(intent)
    make_due(failure)
    [seen_by_both] = services.due_retries(10)

    assert [services.announce_retry(seen_by_both) for _ in range(2)] == [True, False]

    assert len(events(api, intent, "retry_due")) == 1


@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_retry_on_a_final_intent_is_closed_without_announcement(api, intent, fail, status):
    make_due(fail(intent))
    set_status(api, intent, status)

    assert [run_due_tasks(), run_due_tasks()] == [1, 0]

    assert events(api, intent, "retry_due") == []


def test_only_the_newest_failure_of_an_agent_is_announced(api, intent, fail):
    failures = [fail(intent, "ada"), fail(intent, "bob"), fail(intent, "ada")]
    for failure in failures:
        make_due(failure)

    assert [run_due_tasks(), run_due_tasks()] == [3, 0]

    announced = {(each["agent_id"], each["attempt"]) for each in events(api, intent, "retry_due")}
    assert announced == {("bob", 2), ("ada", 3)}


def test_retries_are_found_in_the_order_of_their_time(intent, make_intent, set_policy, fail):
    other = make_intent()
    set_policy(other)
    later, sooner = fail(intent), fail(other)
    make_due(later)
    Failure.objects.filter(pk=sooner["id"]).update(retry_at="2020-01-01T00:00:00Z")

    assert [str(pk) for pk in services.due_retries(10)] == [sooner["id"], later["id"]]
    assert len(services.due_retries(1)) == 1


def test_new_policy_keeps_the_time_of_pending_retries(api, intent, set_policy, fail):
    failure = fail(intent)

    set_policy(intent, strategy="none")

    assert api.get(f"/intents/{intent['id']}/failures").json()["failures"] == [failure]


def test_unknown_failure_is_not_due(db):
    assert services.announce_retry(UUID(NOWHERE)) is False
