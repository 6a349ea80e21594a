"""Webhooks per second of one server process, to a receiver that responds at once."""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import orjson
import uvloop

from benchmarks import resource_usage, sql
from benchmarks.load import Connection
from benchmarks.operations import EVENT, INTENT
from benchmarks.suite import LOG_LEVEL, Scale, Tell, migrated_database
from tests.servers import Server

SUBSCRIPTIONS = 4  # Four calls of each are under way at most.
ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
PATIENCE = 120.0  # Seconds.


@dataclass(frozen=True, slots=True)
class CallbackJob:
    url: str
    process: int
    events: int


@dataclass(slots=True)
class Callbacks:
    """Results of one database."""

    database: str
    calls: int
    seconds: float
    cpu: float
    """Seconds of the server's process."""


@dataclass(slots=True)
class _Receiver:
    expected: int
    calls: int = 0
    has_all: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        writer.write(ANSWER)
        writer.close()
        self.calls += 1
        if self.calls >= self.expected:
            self.has_all.set()


def measure(vendor: str, scale: Scale, folder: Path, pool: Executor, *, tell: Tell = print) -> Callbacks:
    url = migrated_database(vendor, folder)
    with Server(url, OPENINTENT_LOG_LEVEL=LOG_LEVEL) as server:
        calls, seconds, cpu = pool.submit(run, CallbackJob(server.url, server.process.pid, scale.called_events)).result()
    found = Callbacks(sql.version(url), calls, seconds, cpu)
    tell(f"webhooks: {calls / seconds:.0f}/s, {cpu / calls * 1e3:.1f} ms of CPU each")
    return found


def run(job: CallbackJob) -> tuple[int, float, float]:
    """Calls, seconds, CPU seconds."""
    return uvloop.run(_called(job))


async def _called(job: CallbackJob) -> tuple[int, float, float]:
    receiver = _Receiver(job.events * SUBSCRIPTIONS)
    listening = await asyncio.start_server(receiver.receive, "127.0.0.1")
    callback = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    address = urlsplit(job.url)
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: Connection(address.netloc), str(address.hostname), int(address.port or 80)
    )
    intent = orjson.loads(await client.send("POST", "/v1/intents", orjson.dumps(INTENT)))["id"]
    subscription = {"callback_url": callback, "event_types": [EVENT["event_type"]]}
    for _ in range(SUBSCRIPTIONS):
        await client.send("POST", f"/v1/intents/{intent}/subscriptions", orjson.dumps(subscription))
    begun, cpu = perf_counter(), -resource_usage.cpu_seconds(job.process)
    await client.send("POST", f"/v1/intents/{intent}/events/batch", orjson.dumps({"events": [EVENT] * job.events}))
    await asyncio.wait_for(receiver.has_all.wait(), PATIENCE)
    cpu += resource_usage.cpu_seconds(job.process)
    client.close()
    listening.close()
    return receiver.calls, perf_counter() - begun, cpu
