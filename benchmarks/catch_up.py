"""Cost of readers that catch up with the log from the same position, all at once: `python -m benchmarks.catch_up`."""

import argparse
import asyncio
import tempfile
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import orjson
import uvloop

from benchmarks import resource_usage
from benchmarks.load import KEY, Connection
from benchmarks.operations import INTENT
from benchmarks.suite import LOG_LEVEL, migrated_database
from tests.databases import VENDORS
from tests.servers import Server

EVENT = {"event_type": "comment", "payload": {"text": "x" * 2**12}}
BATCH = 50
LAST = {"event_type": "last", "payload": {}}


async def write(url: str, events: int) -> str:
    """Return the intent that has so many events, and one more that is the last."""
    address = urlsplit(url)
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: Connection(address.netloc), str(address.hostname), int(address.port or 80)
    )
    intent = str(orjson.loads(await client.send("POST", "/v1/intents", orjson.dumps(INTENT)))["id"])
    for start in range(0, events, BATCH):
        body = {"events": [EVENT] * min(BATCH, events - start)}
        await client.send("POST", f"/v1/intents/{intent}/events/batch", orjson.dumps(body))
    await client.send("POST", f"/v1/intents/{intent}/events", orjson.dumps(LAST))
    client.close()
    return intent


async def read(url: str, path: str) -> int:
    """Follow the log from its beginning to its last event. Return the bytes that took."""
    address, read = urlsplit(url), 0
    reader, writer = await asyncio.open_connection(str(address.hostname), address.port)
    writer.write(f"GET /api/v1/{path}/subscribe?after=0 HTTP/1.1\r\nHost: {address.netloc}\r\nX-API-Key: {KEY}\r\n\r\n".encode())
    end = b""
    while b"event: last" not in end:
        part = await reader.read(2**16)
        read += len(part)
        end = end[-20:] + part
    writer.close()
    return read


async def measure(url: str, process: int, readers: int, events: int, *, all_events: bool) -> tuple[float, float, int]:
    intent = await write(url, events)
    path = "events" if all_events else f"intents/{intent}"
    await read(url, path)  # What the first stream of a process costs, later ones do not.
    await asyncio.sleep(1.5)
    begun, cpu = perf_counter(), -resource_usage.cpu_seconds(process)
    taken = await asyncio.gather(*[read(url, path) for _ in range(readers)])
    return perf_counter() - begun, cpu + resource_usage.cpu_seconds(process), sum(taken)


def run(vendor: str, readers: int, events: int) -> None:
    for all_events in (True, False):
        with tempfile.TemporaryDirectory(prefix="openintent-bench-") as folder:
            url = migrated_database(vendor, Path(folder))
            with Server(url, OPENINTENT_LOG_LEVEL=LOG_LEVEL) as server:
                seconds, cpu, taken = uvloop.run(measure(server.url, server.process.pid, readers, events, all_events=all_events))
        what = "everything" if all_events else "one intent"
        print(f"{vendor}, {readers} readers of {what}, {taken / 2**20:.0f} MiB: {seconds:.2f} s, {cpu:.2f} s of the server's CPU")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catch_up", description=__doc__)
    parser.add_argument("--database", choices=VENDORS, help="only this one")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--events", type=int, default=3_000, help="of 4 KiB each")
    chosen = parser.parse_args()
    for each in [chosen.database] if chosen.database else VENDORS:
        run(each, chosen.readers, chosen.events)
