"""Failures and policies that come at the same moment, from two processes."""

import pytest

from tests.system.concurrent_clients import rounds, statuses

pytestmark = pytest.mark.full


CLIENTS = 8
FAILURE = {"error_type": "timeout", "agent_id": "ada"}


@pytest.mark.rule("R-3")
def test_exactly_one_of_concurrent_failures_triggers_the_fallback(http, crowd):
    together = crowd(CLIENTS)
    for _ in range(rounds(50, 10)):
        url = f"/intents/{http.create(assign='ada')['id']}"
        policy = {"max_attempts": CLIENTS, "failure_threshold": CLIENTS - 1, "fallback_agent_id": "bob"}
        assert http.send("PUT", f"{url}/retry-policy", policy).status == 200

        answers = together.at_once(*[lambda client, url=url: client.post(f"{url}/failures", FAILURE)] * CLIENTS)

        assert sorted(answer.body["attempt"] for answer in answers) == list(range(1, CLIENTS + 1))
        log = [event["event_type"] for event in http.events(url.removeprefix("/intents/"))]
        assert [log.count(kind) for kind in ("retries_exhausted", "fallback_triggered", "agent_unassigned")] == [1, 1, 1]
        assert http.get(url).body["agents"] == [{"agent_id": "bob", "role": "worker"}]


@pytest.mark.rule("I-1")
def test_of_the_same_first_policy_at_the_same_moment_one_is_written(http, crowd):
    together = crowd(CLIENTS)
    for _ in range(rounds(50, 10)):
        url = f"/intents/{http.create()['id']}"

        answers = together.at_once(*[lambda client, url=url: client.send("PUT", f"{url}/retry-policy", {})] * CLIENTS)

        assert statuses(answers) == [200] * CLIENTS
        assert len({answer.body["created_at"] for answer in answers}) == 1
        assert len(http.events(url.removeprefix("/intents/"))) == 2
