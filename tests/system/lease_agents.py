"""Agents in processes of their own that acquire, stall, die and come back. No Django here: each start is to be quick."""

import multiprocessing
import random
import time
from http.client import HTTPException
from typing import Any

from tests.servers import Server
from tests.system.concurrent_clients import Http

WORKERS = 20
DURATION = 1  # Seconds of a lease.
SCOPES = ["a", "a.b", "a.b.c", "b", "b.x", "c"]


class Agent:
    """Acquires a scope, writes under its token, and now and then stalls until the lease has run out, and writes all the same."""

    def __init__(self, client: Http, intent_id: str) -> None:
        self.client, self.path = client, f"/intents/{intent_id}"
        self.random = random.Random()

    def live(self) -> None:
        while True:
            scope = self.random.choice(SCOPES)
            if self.random.random() < 0.5:
                self.wait(scope)
                continue
            answer = self.client.post(f"{self.path}/leases", {"scope": scope, "duration_seconds": DURATION})
            if answer.status in (200, 201):
                self.work(answer.body)
            else:
                assert (answer.status, answer.code) == (409, "lease_conflict"), answer
                time.sleep(self.random.uniform(0, 0.1))

    def wait(self, scope: str) -> None:
        """Wait in the queue for some time, and give up or just go away."""
        for _ in range(self.random.randint(1, 10)):
            answer = self.client.post(f"{self.path}/lease-queue", {"scope": scope, "duration_seconds": DURATION})
            if answer.status == 409 and answer.code == "lease_expired":  # The lease that it was granted ended while it asked.
                return None
            assert answer.status == 200, answer
            if answer.body["lease"]:
                return self.work(answer.body["lease"])
            time.sleep(self.random.uniform(0, 0.1))
        if self.random.random() < 0.5:
            self.client.delete(f"{self.path}/lease-queue/{answer.body['id']}")
        return None

    def work(self, lease: dict[str, Any]) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.write(lease)
        fate = self.random.random()
        if fate < 0.3:
            time.sleep(DURATION * self.random.uniform(0.8, 1.6))  # Perhaps too long: then the write must be refused.
            self.write(lease)
        elif fate < 0.5:
            self.client.patch(f"{self.path}/leases/{lease['id']}", {"duration_seconds": DURATION})
            self.write(lease)
        if fate < 0.8:
            self.client.delete(f"{self.path}/leases/{lease['id']}")

    def write(self, lease: dict[str, Any]) -> None:
        payload = {"scope": lease["scope"], "lease_id": lease["id"]}
        answer = self.client.post(
            f"{self.path}/events", {"event_type": "work_done", "payload": payload}, token=lease["fencing_token"]
        )
        assert answer.status == 201 or answer.code == "lease_lost", answer


def live(server_url: str, name: str, intent_id: str) -> None:
    """In a process of its own, which will be killed."""
    try:
        Agent(Http(server_url, may_fail=True, agent=name), intent_id).live()
    except (OSError, HTTPException):  # The test is over, and the server gone.
        return


class Workforce:
    """The agents' processes. Whoever is killed is replaced."""

    def __init__(self, servers: list[Server], intent_id: str) -> None:
        self.servers, self.intent_id = servers, intent_id
        self.context = multiprocessing.get_context("spawn")
        self.processes = [self._start(number) for number in range(WORKERS)]

    def replace(self, number: int) -> None:
        self._kill(number)
        self.processes[number] = self._start(number)

    def end(self) -> None:
        for number in range(WORKERS):
            self._kill(number)

    def _start(self, number: int) -> Any:
        url = self.servers[number % len(self.servers)].url
        process = self.context.Process(target=live, args=[url, f"agent-{number}", self.intent_id], daemon=True)
        process.start()
        return process

    def _kill(self, number: int) -> None:
        process = self.processes[number]
        assert process.is_alive(), f"an agent ended by itself, with {process.exitcode}"
        process.kill()
        process.join()
