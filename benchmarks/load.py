"""Clients that load a server, in a process of their own: as little as possible between two requests."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from benchmarks import resource_usage
from benchmarks.operations import Operation, Step

KEY = "dev-user-key"


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement: so many clients take this step until there were `steps` of them, or `seconds` have passed."""

    url: str
    operation: Operation
    intents: Sequence[str]
    clients: int
    steps: int
    seconds: float
    warm_up: int
    """Steps before them, of all clients together."""
    process: int | None
    """Of the server; None if it is on another machine."""
    database_process: int | None = None


@dataclass(slots=True)
class Round:
    """Results of a load job."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    cpu: float = 0.0
    """Seconds of the server's process."""
    database_cpu: float | None = None
    memory: int = 0
    """Bytes of the server's process, at the end."""

    @property
    def cpu_per_step(self) -> float:
        return self.cpu / len(self.latencies)


class Connection(asyncio.Protocol):
    """A client: keep-alive HTTP/1.1, one request at a time."""

    def __init__(self, host: str) -> None:
        self._head = f"HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {KEY}\r\n"
        self._received = bytearray()
        self._answer: asyncio.Future[bytes]
        self._end: int | None = None

    async def send(
        self, method: str, path: str, body: bytes = b"", version: int | None = None, token: int | None = None
    ) -> bytes:
        head = f"{method} /api{path} {self._head}"
        if version is not None:
            head += f"If-Match: {version}\r\n"
        if token is not None:
            head += f"X-Fencing-Token: {token}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(head.encode() + b"\r\n" + body)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._end is None:
            head, mark, _ = self._received.partition(b"\r\n\r\n")
            if not mark:
                return
            self._body = len(head) + len(mark)
            self._end = self._body + int(
                head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0
            )  # A 204 has none.
        if len(self._received) >= self._end:
            self._finish(bytes(self._received[self._body :]))

    def _finish(self, body: bytes) -> None:
        status = int(self._received[9:12])
        self._received.clear()
        self._end = None
        if status < 300:
            self._answer.set_result(body)
        else:
            self._answer.set_exception(RuntimeError(f"the server answered {status}: {body.decode()}"))

    def connection_lost(self, reason: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the server closed the connection: {reason}"))

    def close(self) -> None:
        self._transport.close()


def run(job: Job) -> Round:
    return uvloop.run(_run(job))


async def _run(job: Job) -> Round:
    connections = await _connect(job)
    makers = [job.operation(http, mine) for http, mine in zip(connections, _shares(job), strict=True)]
    steps = await asyncio.gather(*makers)
    await _together(_take(step, iter(range(-(-job.warm_up // job.clients))), []) for step in steps)
    result = await _measure(job, steps)
    for each in connections:
        each.close()
    return result


async def _connect(job: Job) -> list[Connection]:
    address = urlsplit(job.url)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Connection(address.netloc), str(address.hostname), int(address.port or 80))
        for _ in range(job.clients)
    ]
    return [connection for _, connection in made]


def _shares(job: Job) -> list[Sequence[str]]:
    """Each client's own intents; with fewer intents than clients, which only reads allow, all clients use all."""
    return [job.intents[client :: job.clients] or job.intents for client in range(job.clients)]


async def _measure(job: Job, steps: Sequence[Step]) -> Round:
    result = Round(cpu=-resource_usage.cpu_seconds(job.process))
    if job.database_process is not None:
        result.database_cpu = -resource_usage.cpu_seconds(job.database_process)
    begun = perf_counter()
    tickets = _tickets(job.steps, begun + job.seconds)
    await _together(_take(step, tickets, result.latencies) for step in steps)
    result.seconds = perf_counter() - begun
    result.cpu += resource_usage.cpu_seconds(job.process)
    if job.database_process is not None and result.database_cpu is not None:
        result.database_cpu += resource_usage.cpu_seconds(job.database_process)
    result.memory = resource_usage.resident_bytes(job.process)
    return result


def _tickets(count: int, deadline: float) -> Iterator[int]:
    for number in range(count):
        if perf_counter() >= deadline:
            return
        yield number


async def _take(step: Step, tickets: Iterator[int], latencies: list[float]) -> None:
    for _ in tickets:
        begun = perf_counter()
        await step()
        latencies.append(perf_counter() - begun)


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run it all at once; the first failure ends it."""
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(each)
