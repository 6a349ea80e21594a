"""Clients of running servers: small and fast, and many at once."""

import http.client
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.servers import Server

FULL = os.environ.get("SYSTEM_ROUNDS") == "full"
PATIENCE = 60.0  # Seconds until a condition that does not come is a failure.


def rounds(full: int, otherwise: int) -> int:
    """Return the number of rounds of a race: `full` is that of the specification."""
    return full if FULL else otherwise


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        """The code of a problem."""
        return str(self.body["code"])


class Http:
    """One kept connection to a server, for one thread. A failure of the server fails the test, unless `may_fail`."""

    def __init__(
        self, server: Server | str, *, may_fail: bool = False, agent: str | None = None, api_key: str = "dev-user-key"
    ) -> None:
        self.may_fail = may_fail
        self.agent = agent
        self.api_key = api_key
        url = server if isinstance(server, str) else server.url
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def post(self, path: str, body: Any, **headers: Any) -> Answer:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: Any) -> Answer:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: Any) -> Answer:
        return self.send("DELETE", path, **headers)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: int | None = None,
        key: str | None = None,
        token: int | None = None,
        permit: str | None = None,
    ) -> Answer:
        """Raises OSError or HTTPException where the connection breaks."""
        headers = {"X-API-Key": self.api_key, "Content-Type": "application/json"}
        if version is not None:
            headers["If-Match"] = str(version)
        if key is not None:
            headers["Idempotency-Key"] = key
        if token is not None:
            headers["X-Fencing-Token"] = str(token)
        if permit is not None:
            headers["X-Permit"] = permit
        if self.agent is not None:
            headers["X-Agent-ID"] = self.agent
        return self._exchange(method, f"/api/v1{path}", None if body is None else orjson.dumps(body), headers)

    def health(self, path: str) -> Answer:
        """Return the statuses of /healthz and /readyz."""
        return self._exchange("GET", path, None, {})

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        raw = response.read()
        assert response.status < 500 or self.may_fail, raw
        return Answer(response.status, orjson.loads(raw) if raw else None, response.headers)

    def create(self, **fields: Any) -> dict[str, Any]:
        answer = self.post("/intents", {"title": "Something to do", **fields})
        assert answer.status == 201, answer
        return answer.body  # type: ignore[no-any-return]

    def intent(self, intent_id: str) -> dict[str, Any]:
        return self.get(f"/intents/{intent_id}").body  # type: ignore[no-any-return]

    def events(self, intent_id: str) -> list[dict[str, Any]]:
        """The intent's whole log."""
        page = self.get(f"/intents/{intent_id}/events?limit=1000").body
        events: list[dict[str, Any]] = page["events"]
        while page["next"]:
            page = self.get(f"/intents/{intent_id}/events?limit=1000&cursor={page['next']}").body
            events += page["events"]
        return events

    def complete(self, intent: dict[str, Any]) -> Answer:
        return self.post(f"/intents/{intent['id']}/status", {"status": "completed"}, version=intent["version"])

    def __enter__(self) -> "Http":
        return self

    def __exit__(self, *_: Any) -> None:
        self.connection.close()


Action = Callable[[Http], Any]


class Crowd:
    """Clients that act at the same moment, spread over the servers."""

    def __init__(self, servers: Sequence[Server], size: int) -> None:
        self.clients = [Http(servers[number % len(servers)]) for number in range(size)]
        self.pool = ThreadPoolExecutor(size)

    def at_once(self, *actions: Action) -> list[Any]:
        """Run each action in a client of its own and return the results."""
        start = Barrier(len(actions))

        def act(action: Action, client: Http) -> Any:
            start.wait(PATIENCE)
            return action(client)

        return list(self.pool.map(act, actions, self.clients))

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: Any) -> None:
        self.pool.shutdown()
        for client in self.clients:
            client.connection.close()


def until(holds: Callable[[], Any], what: str, *, progress: Callable[[], Any] = lambda: None) -> Any:
    """Wait until it holds, and answer what it says then. As long as there is progress, it may take its time."""
    before, deadline = progress(), time.monotonic() + PATIENCE
    while not (found := holds()):
        if (now := progress()) != before:
            before, deadline = now, time.monotonic() + PATIENCE
        assert time.monotonic() < deadline, f"it never came: {what}"
        time.sleep(0.01)
    return found


def statuses(answers: Iterable[Answer]) -> list[int]:
    return sorted(answer.status for answer in answers)
