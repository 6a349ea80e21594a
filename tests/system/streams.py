"""Load on servers while their streams are read: writes, kills and slow clients."""

import http.client
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any

from tests.processes import Process
from tests.servers import Server
from tests.system.concurrent_clients import FULL, Answer, Http
from tests.system.conftest import ROOT, environment

AGENTS = ["ada", "bob", "eve"]
PACE = 0.75 if FULL else 0.1  # Seconds between two writes of a writer: what is asked for is order, and not speed.
FINE = {200, 201, 204, 404, 409, 503}

APPEND_AND_HOLD = """
import sys, time, django
from uuid import UUID
django.setup()
from django.db import transaction
from access.identity import SYSTEM
from core.db import database_now
from intents.events import NewEvent, append
from intents.models import Intent
print("ready", flush=True)
for line in sys.stdin:
    intent_id, seconds = line.split()
    with transaction.atomic():
        append(Intent.objects.lock(UUID(intent_id)), NewEvent("held", {}), actor=SYSTEM, now=database_now())
        print("held", flush=True)
        time.sleep(float(seconds))
    print("committed", flush=True)
"""


class Writer:
    """Logs events, and assigns and groups the intents, on whichever server there is."""

    def __init__(self, servers: Sequence[Server], intents: Sequence[str], portfolios: Sequence[str]) -> None:
        self.servers, self.intents, self.portfolios = servers, intents, portfolios
        self.acknowledged: list[str] = []

    def write(self, enough: threading.Event) -> None:
        while not enough.is_set():
            try:
                with Http(random.choice(self.servers), may_fail=True) as client:
                    while not enough.wait(random.uniform(0, 2 * PACE)):
                        self._step(client, f"/intents/{random.choice(self.intents)}")
            except (OSError, http.client.HTTPException):
                enough.wait(PACE)

    def _step(self, client: Http, path: str) -> None:
        dice = random.random()
        if dice < 0.7:
            self._keep(client.post(f"{path}/events", {"event_type": "comment", "payload": {"text": "Hello"}}))
        elif dice < 0.85:
            self._keep(client.post(f"{path}/events/batch", {"events": [{"event_type": "comment"}] * 3}))
        else:
            answer = self._regroup(client, path)
            assert answer.status in FINE, answer

    def _regroup(self, client: Http, path: str) -> Answer:
        agent, portfolio = random.choice(AGENTS), f"/portfolios/{random.choice(self.portfolios)}/intents"
        match random.randrange(4):
            case 0:
                return client.post(f"{path}/agents", {"agent_id": agent})
            case 1:
                return client.delete(f"{path}/agents/{agent}")
            case 2:
                return client.post(portfolio, {"intent_id": path.rpartition("/")[2]})
        return client.delete(f"{portfolio}/{path.rpartition('/')[2]}")

    def _keep(self, answer: Answer) -> None:
        assert answer.status in FINE, answer
        if answer.status == 201:
            self.acknowledged += [event["id"] for event in answer.body.get("events", [answer.body])]


@contextmanager
def writing(writers: Sequence[Writer]) -> Iterator[None]:
    enough = threading.Event()
    with ThreadPoolExecutor(len(writers)) as pool:
        at_work = [pool.submit(writer.write, enough) for writer in writers]
        try:
            yield
        finally:
            enough.set()
            for each in at_work:
                each.result()


class Holder:
    """A process that appends an event to an intent, and takes its time to commit."""

    def __init__(self, database_url: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-c", APPEND_AND_HOLD], cwd=ROOT, env=environment(database_url), stdin=pipe, stdout=pipe, text=True
        )

    def __enter__(self) -> "Holder":
        assert self._hears("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def hold(self, intent_id: str, seconds: float) -> None:
        """Return after the commit. Whatever was committed meanwhile has an older position, and a newer row."""
        assert self.process.stdin
        print(intent_id, seconds, file=self.process.stdin, flush=True)
        assert self._hears("held")
        assert self._hears("committed")

    def _hears(self, word: str) -> bool:
        assert self.process.stdout
        return self.process.stdout.readline() == f"{word}\n"


@contextmanager
def all_running(servers: Sequence[Server]) -> Iterator[None]:
    """They start at the same time. One that is down at the end was to be."""
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(Server.start, servers))
    try:
        yield
    finally:
        for server in servers:
            if server.process.poll() is None:
                server.stop()


@contextmanager
def workers(database_url: str, count: int, **settings: str) -> Iterator[None]:
    """So many `manage.py worker`s. None of them fails."""
    env = environment(database_url) | {"OPENINTENT_LOG_LEVEL": "warning"} | settings
    started = [Process("manage", ["worker"], env) for _ in range(count)]
    with ThreadPoolExecutor(count + 1) as pool:
        logs = [pool.submit(_rest, process.stderr) for process in started]
        try:
            yield
        finally:
            for process in started:
                process.terminate()
    for process, log in zip(started, logs, strict=True):
        assert (process.wait(30), '"level":"error"' in log.result()) == (0, False), log.result()


def _rest(pipe: IO[str]) -> str:
    with pipe:
        return pipe.read()


class Until:
    """The end of the disturbances: `left` counts down, and `sleep` ends with it."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())

    def sleep(self, seconds: float) -> bool:
        """Return whether there is time left."""
        time.sleep(min(seconds, self.left))
        return self.left > 0


def whole_log(client: Http) -> list[dict[str, Any]]:
    """All events, by position, none of which is missing one."""
    page = client.get("/events?after=0&limit=1000").body
    log: list[dict[str, Any]] = page["events"]
    while page["next"]:
        page = client.get(f"/events?cursor={page['next']}&limit=1000").body
        log += page["events"]
    return log
