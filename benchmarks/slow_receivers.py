"""Latency of webhooks to a healthy receiver beside others that never respond: `python -m benchmarks.slow_receivers`.

One intent, an event each quarter of a second, a subscription of a healthy receiver and so many of hanging ones. What counts is the
time from the write's answer to the call.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import orjson
import uvloop

from benchmarks.load import Connection
from benchmarks.operations import EVENT, INTENT
from benchmarks.results import quantile
from benchmarks.suite import LOG_LEVEL, migrated_database
from tests.databases import VENDORS
from tests.servers import Server

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
EVERY = 0.25  # Seconds from one event to the next.
PATIENCE = 120.0  # Seconds for the last webhook.


@dataclass(slots=True)
class _Receiver:
    """Receiver that responds at once and records the time of each event; a hanging one never responds."""

    hangs: bool = False
    arrived: dict[str, float] = field(default_factory=dict)

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.partition(b":")[2]))
        if self.hangs:
            with suppress(asyncio.CancelledError, ConnectionError):
                await reader.read()  # Until the caller gives up.
        else:
            self.arrived[orjson.loads(body)["event"]["id"]] = perf_counter()
            writer.write(ANSWER)
        writer.close()


async def measure(url: str, hanging: int, seconds: float) -> list[float]:
    """Return the seconds that each event took to the healthy receiver."""
    healthy, stuck = _Receiver(), _Receiver(hangs=True)
    listening = [await asyncio.start_server(each.receive, "127.0.0.1", backlog=1_000) for each in (healthy, stuck)]
    callbacks = [f"http://127.0.0.1:{each.sockets[0].getsockname()[1]}/" for each in listening]
    address = urlsplit(url)
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: Connection(address.netloc), str(address.hostname), int(address.port or 80)
    )
    intent = orjson.loads(await client.send("POST", "/v1/intents", orjson.dumps(INTENT)))["id"]
    for callback in [callbacks[0], *[callbacks[1]] * hanging]:
        body = {"callback_url": callback, "event_types": [EVENT["event_type"]]}
        await client.send("POST", f"/v1/intents/{intent}/subscriptions", orjson.dumps(body))
    written: dict[str, float] = {}
    begun = perf_counter()
    for number in range(round(seconds / EVERY)):
        await asyncio.sleep(max(0.0, begun + number * EVERY - perf_counter()))
        event = orjson.loads(await client.send("POST", f"/v1/intents/{intent}/events", orjson.dumps(EVENT)))
        written[event["id"]] = perf_counter()
    deadline = perf_counter() + PATIENCE
    while len(healthy.arrived) < len(written) and perf_counter() < deadline:
        await asyncio.sleep(EVERY)
    client.close()
    for each in listening:
        each.close()
    return [healthy.arrived.get(pk, deadline) - at for pk, at in written.items()]


def run(vendor: str, numbers: Sequence[int], seconds: float) -> None:
    alone = None
    for hanging in numbers:
        with tempfile.TemporaryDirectory(prefix="openintent-bench-") as folder:
            database = migrated_database(vendor, Path(folder))
            with Server(database, OPENINTENT_LOG_LEVEL=LOG_LEVEL) as server:
                times = uvloop.run(measure(server.url, hanging, seconds))
        median, worst = quantile(times, 0.5), max(times)
        alone = alone or median
        print(
            f"{vendor}, {hanging:3} hanging: median {median * 1e3:6.0f} ms ({median / alone:.2f} x), worst {worst * 1e3:6.0f} ms"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_receivers", description=__doc__)
    parser.add_argument("--database", choices=VENDORS, help="only this one")
    parser.add_argument(
        "--hanging", nargs="+", type=int, default=[0, 2, 8, 30], help="receivers; the first number is compared with"
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    chosen = parser.parse_args()
    for each in [chosen.database] if chosen.database else VENDORS:
        run(each, chosen.hanging, chosen.seconds)
