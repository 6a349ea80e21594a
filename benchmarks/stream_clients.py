"""Followers of a server's streams, in a process of their own: a thousand of them must cost less than what they measure."""

import asyncio
import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

import orjson
import psutil
import uvloop

from benchmarks import concurrent_reader, resource_usage
from benchmarks.concurrent_reader import Reader
from benchmarks.load import KEY, Connection
from benchmarks.operations import EVENT, INTENT
from benchmarks.results import quantile

MARK = re.compile(rb'"mark":(\d+)')
WRITERS = 4
OPENED_AT_ONCE = 50
PATIENCE = 60.0  # Seconds without an event, after which those that are missing are lost.
SETTLE = 0.5  # Seconds, before memory is read.


@dataclass(frozen=True, slots=True)
class FollowJob:
    url: str
    process: int
    followers: int
    is_spread: bool
    """Each follows an intent of its own; else all follow the same one."""
    rate: float
    """Events a second, of the part that is not at full rate."""
    paced_events: int
    full_events: int
    """At full rate."""
    reading: float
    """Seconds for which a client beside reads, while nothing else happens."""


@dataclass(slots=True)
class Delivery:
    """Delivery times of events."""

    events: int
    deliveries: int
    lost: int
    seconds: float
    cpu: float
    """Seconds of the server's process, with what the writes take."""
    from_send: dict[float, float] = field(default_factory=dict)
    """Quantiles of seconds from the writer's request."""
    from_answer: dict[float, float] = field(default_factory=dict)
    """And from its answer: below 0 where the reader came first."""
    rest: float = 0.0
    """Median seconds of a read beside."""


@dataclass(slots=True)
class FollowRound:
    followers: int
    is_spread: bool
    paced: Delivery
    full: Delivery
    memory: float
    """Bytes of the server's own for each idle follower."""
    rest_alone: float
    rest_idle: float


class Listener(asyncio.Protocol):
    """An SSE stream: keeps which event came when."""

    def __init__(self, host: str, intent: str) -> None:
        self.request = f"GET /api/v1/intents/{intent}/subscribe HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {KEY}\r\n\r\n".encode()
        self.heard: list[tuple[int, float]] = []
        self.opened = asyncio.get_running_loop().create_future()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        whole, _, rest = (self._rest + data).rpartition(b"\n\n")
        self._rest = rest
        if not self.opened.done() and b"event: connected" in whole:
            self.opened.set_result(None)
        self.heard += [(int(each), now) for each in MARK.findall(whole)]

    def connection_lost(self, reason: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(self._rest.decode()))


def run(job: FollowJob) -> FollowRound:
    with concurrent_reader.reader(urlsplit(job.url).netloc) as reader:
        return uvloop.run(_Bench(job, reader).run())


class _Bench:
    def __init__(self, job: FollowJob, reader: Reader) -> None:
        self.job = job
        self.reader = reader
        self.address = urlsplit(job.url)
        self.marks = 0
        self.listeners: list[Listener] = []

    async def run(self) -> FollowRound:
        self.writers = [await self._connect() for _ in range(WRITERS)]
        self.intents = [await self._create() for _ in range(self.job.followers if self.job.is_spread else 1)]
        await self._warm_up()
        alone, before = await self._read(), self._memory()
        await self._open(self.job.followers)
        await asyncio.sleep(SETTLE)
        memory = (self._memory() - before) / self.job.followers
        idle = await self._read()
        with _without_collector():
            paced = await self._deliver(self.job.paced_events, 1 / self.job.rate)
            full = await self._deliver(self.job.full_events, 0.0)
        await self._close()
        for each in self.writers:
            each.close()
        return FollowRound(self.job.followers, self.job.is_spread, paced, full, memory, alone, idle)

    async def _connect(self) -> Connection:
        made = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self.address.netloc), str(self.address.hostname), int(self.address.port or 80)
        )
        return made[1]

    async def _create(self) -> str:
        answer = await self.writers[0].send("POST", "/v1/intents", orjson.dumps(INTENT))
        return str(orjson.loads(answer)["id"])

    async def _warm_up(self) -> None:
        """Open streams once: the first ones of a process cost more than later ones."""
        await self._open(20)
        await self._deliver(50, 0.0)
        await self._close()

    async def _open(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        turn = cycle(self.intents)
        while missing := count - len(self.listeners):
            made = [Listener(self.address.netloc, intent) for intent in islice(turn, min(missing, OPENED_AT_ONCE))]
            for each in made:
                await loop.create_connection(lambda each=each: each, self.address.hostname, self.address.port)  # type: ignore[misc]
            await asyncio.gather(*[each.opened for each in made])
            self.listeners += made

    async def _close(self) -> None:
        for each in self.listeners:
            each.transport.close()
        self.listeners.clear()
        await asyncio.sleep(SETTLE)

    def _memory(self) -> int:
        uss: int = psutil.Process(self.job.process).memory_full_info().uss
        return uss

    async def _read(self) -> float:
        """Median seconds of a read while nothing else happens."""
        self._begin_to_read()
        await asyncio.sleep(self.job.reading)
        return quantile(self.reader.end(), 0.5)

    def _begin_to_read(self) -> None:
        self.reader.begin(f"/api/v1/intents/{self.intents[0]}")

    async def _deliver(self, count: int, every: float) -> Delivery:
        """Write so many events, wait for all that belong to somebody, and say how long each was on its way."""
        times = _Times(range(self.marks, self.marks + count), {}, {})
        self.marks += count
        for each in self.listeners:
            each.heard.clear()
        heard_by = 1 if self.job.is_spread else len(self.listeners)
        self._begin_to_read()
        begun = perf_counter()
        cpu = -resource_usage.cpu_seconds(self.job.process)
        turn = iter(zip(times.marks, cycle(self.intents[: len(self.listeners)]), strict=False))
        await asyncio.gather(*[self._write(writer, turn, times, begun, every) for writer in self.writers])
        await self._all_heard(count * heard_by)
        cpu += resource_usage.cpu_seconds(self.job.process)
        return times.judge(self.listeners, count * heard_by, begun, quantile(self.reader.end(), 0.5), cpu)

    async def _write(
        self, writer: Connection, turn: Iterator[tuple[int, str]], times: "_Times", begun: float, every: float
    ) -> None:
        for mark, intent in turn:
            await asyncio.sleep(max(0.0, begun + (mark - times.marks[0]) * every - perf_counter()))
            body = orjson.dumps({**EVENT, "payload": {**EVENT["payload"], "mark": mark}})
            times.sent[mark] = perf_counter()
            await writer.send("POST", f"/v1/intents/{intent}/events", body)
            times.answered[mark] = perf_counter()

    async def _all_heard(self, count: int) -> None:
        heard, since = -1, perf_counter()
        while (now := sum(len(each.heard) for each in self.listeners)) < count:
            if now > heard:
                heard, since = now, perf_counter()
            if perf_counter() - since > PATIENCE:
                return
            await asyncio.sleep(0.05)


@dataclass(slots=True)
class _Times:
    """Times at which each event was sent, and acknowledged."""

    marks: Sequence[int]
    sent: dict[int, float]
    answered: dict[int, float]

    def judge(self, listeners: Iterable[Listener], expected: int, begun: float, rest: float, cpu: float) -> Delivery:
        heard = [each for listener in listeners for each in listener.heard]
        once = sum(len({mark for mark, _ in listener.heard}) for listener in listeners)
        assert once == len(heard), "an event came twice"
        found = Delivery(len(self.marks), len(heard), expected - once, max(at for _, at in heard) - begun, cpu, rest=rest)
        for share in (0.5, 0.99):
            found.from_send[share] = quantile([at - self.sent[mark] for mark, at in heard], share)
            found.from_answer[share] = quantile([at - self.answered[mark] for mark, at in heard], share)
        return found


@contextmanager
def _without_collector() -> Iterator[None]:
    """A pause of this process would look like one of the server."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
