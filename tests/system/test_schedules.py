"""Schedules of questions under kill -9 of the workers, and in two workers at the same moment (rule H-2)."""

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.subscriptions.test_delivery_worker import execute
from tests.system.concurrent_clients import Http, rounds, until
from tests.system.conftest import create_arbiters, verified
from tests.system.worker_processes import kill_one, two_workers

pytestmark = [pytest.mark.full, pytest.mark.rule("H-2")]

SCHEDULES = rounds(100, 4)  # At least, and as many kills.
AT_ONCE = 4
PAUSE = (0.0, 0.6)  # Seconds between two kills.
PEOPLE = ("grace", "henry", "judy")
REMINDERS, ESCALATIONS = [1, 3, 5], {2: "user:henry", 4: "user:judy"}
"""Seconds."""

HAPPENED = {
    "arbitration_requested": 1,
    "arbitration_notified": 1,
    "arbitration_reminded": 3,
    "arbitration_escalated": 2,
    "arbitration_fell_back": 1,
    "decision_recorded": 1,
}


@pytest.fixture
def database_url(vendor, tmp_path):
    """A database with people who can be asked."""
    url = migrated_database(vendor, tmp_path)
    create_arbiters(url, PEOPLE)
    return url


@pytest.fixture
def http(database_url):
    """A server that runs no periodic tasks, with a channel, so that each step makes a notice."""
    with Server(database_url, OPENINTENT_WORKER="false") as server, Http(server) as client:
        channel = {"name": "Team", "kind": "webhook", "target": "http://127.0.0.1:9/", "urgencies": ["normal"]}
        assert client.post("/channels", channel).status == 201
        yield client


def ask(http: Http, **fields: Any) -> Any:
    body = {"reason": "Wait, or go on?", "audience": ["user:grace"], **fields}
    answer = http.post(f"/intents/{http.create()['id']}/arbitrate", body)
    assert answer.status == 201, answer
    return answer.body


def ask_with_schedule(http: Http) -> Any:
    return ask(
        http,
        options=["wait", "go on"],
        remind_after_seconds=REMINDERS,
        escalation=[{"after_seconds": seconds, "to": to} for seconds, to in ESCALATIONS.items()],
        expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat(),
        fallback={"do": "decide", "decision": "wait"},
    )


def happened(http: Http, asked: Any) -> list[dict[str, Any]]:
    return [event for event in http.events(asked["intent_id"]) if event["payload"].get("arbitration_id") == asked["id"]]


def told(http: Http, asked: Any) -> Counter[str]:
    """Return the kinds of its notices. That of the end is for those who were reached, and nobody listens on the channel."""
    notices = http.get(f"/arbitrations/{asked['id']}/notices?limit=1000").body["notices"]
    return Counter(each["kind"] for each in notices if each["kind"] != "resolved")


def test_schedule_happens_once_whichever_worker_is_killed(http, database_url):
    done = kills = 0

    def kill_until(asked: list[Any], events: int, what: str) -> None:
        """Kill one worker after the other until each question has so many events."""

        def written() -> list[int]:
            return [len(happened(http, each)) for each in asked]

        def kill() -> bool:
            nonlocal kills
            time.sleep(random.uniform(*PAUSE))
            kill_one(workers, database_url)
            kills += 1
            return min(written()) >= events

        until(kill, what, progress=written)

    with two_workers(database_url) as workers:
        while done < SCHEDULES or kills < SCHEDULES:
            asked = [ask_with_schedule(http) for _ in range(AT_ONCE)]
            kill_until(asked, sum(HAPPENED.values()) - 2, "the last step")
            execute(
                database_url, f"UPDATE governance_arbitration SET expires_at = '{datetime.now(UTC)}' WHERE status = 'pending'"
            )
            kill_until(asked, sum(HAPPENED.values()), "the fallbacks")
            for each in asked:
                assert_each_step_once(http, each)
            done += len(asked)
    print(f"{done} schedules, {kills} kills")
    verified(database_url)


def assert_each_step_once(http: Http, asked: Any) -> None:
    events = happened(http, asked)
    assert Counter(event["event_type"] for event in events) == HAPPENED
    steps = [(each["payload"]["after_seconds"], each["event_type"]) for each in events if "after_seconds" in each["payload"]]
    assert steps == sorted(steps)
    assert [seconds for seconds, event_type in steps if event_type == "arbitration_reminded"] == REMINDERS
    assert told(http, asked) == {"asked": 1, "reminder": 3, "escalation": 2}


@pytest.mark.database("postgresql")
def test_two_workers_take_a_step_once_that_is_due_for_both(http, database_url):
    with two_workers(database_url):
        for _ in range(rounds(20, 2)):
            asked = [ask(http, remind_after_seconds=[1], expires_at=None) for _ in range(30)]
            for each in asked:
                until(lambda each=each: told(http, each)["reminder"], "the reminder")
                assert Counter(event["event_type"] for event in happened(http, each))["arbitration_reminded"] == 1
    verified(database_url)
