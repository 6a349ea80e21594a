"""Hostile requests: the server's CPU and memory, and the latency of other requests meanwhile."""

import contextlib
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import requests

from benchmarks.resource_usage import cpu_seconds
from benchmarks.suite import migrated_database
from tests.servers import Server

MiB = 2**20
ASK_EVERY = 0.1  # Seconds between two looks at /healthz.
IDLE_SECONDS = 5.0  # Seconds over which the CPU of an idle server is measured.
AGENT, WRONG = "agent-research-key", "oi_00000000_wrong"
CPU_LIMITS = {False: 0.1, True: 0.5}
"""Seconds of CPU that a request may cost, without a good key and with one,"""
MEMORY_LIMITS = {False: 20 * MiB, True: 64 * MiB}
"""and bytes of memory."""
WAIT_LIMIT = 0.25  # Seconds that others may wait.


@dataclass(frozen=True, slots=True)
class HostileInput:
    name: str
    has_key: bool
    send: Callable[["Target", int], None]
    sizes: tuple[int, ...]
    """How much of it: ×1, ×10, and up to the limit."""
    is_many: bool = False
    """Whether it is `size` requests: the CPU counted is that of one."""


@dataclass(frozen=True, slots=True)
class Cost:
    name: str
    has_key: bool
    size: int
    cpu: float
    memory: int
    wait: float

    @property
    def is_bounded(self) -> bool:
        return self.cpu <= CPU_LIMITS[self.has_key] and self.memory <= MEMORY_LIMITS[self.has_key] and self.wait <= WAIT_LIMIT


class Target:
    """A server, and one intent on it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.port = int(server.url.rpartition(":")[2])
        self.intent = self.call("POST", "/intents", {"title": "target"}).json()["id"]

    def call(self, method: str, path: str, body: object = None, key: str = AGENT, **headers: str) -> requests.Response:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        about = {"X-API-Key": key, "Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return requests.request(method, f"{self.server.api}{path}", data=raw, headers=about, timeout=120)

    def speak(self, *parts: bytes) -> bytes:
        """Send bytes, and read until the server closes."""
        found = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection, contextlib.suppress(OSError):
            for part in parts:
                connection.sendall(part)
            while part := connection.recv(65_536):
                found += part
        return found

    def websocket(self, message: bytes, fragments: int = 1) -> None:
        """Open a WebSocket and send one text message, in so many fragments."""
        about = b"Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        frames = [b"GET /ws/v1/events HTTP/1.1\r\n" + about]
        pieces = [message] if fragments == 1 else [message, *[b""] * (fragments - 1)]
        for number, piece in enumerate(pieces):
            opcode = (0x80 if number == len(pieces) - 1 else 0) | (1 if number == 0 else 0)
            size = struct.pack("!B", 0x80 | len(piece)) if len(piece) < 126 else struct.pack("!BQ", 0x80 | 127, len(piece))
            frames.append(bytes([opcode]) + size + b"\0\0\0\0" + piece)
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection, contextlib.suppress(OSError):
            connection.sendall(b"".join(frames))
            while connection.recv(65_536):
                pass


def head(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "Connection: close", "", ""]).encode()


def _post(path: str, make: Callable[[int], bytes | object], **headers: str) -> Callable[[Target, int], None]:
    @cache
    def body(size: int) -> bytes:
        made = make(size)
        return made if isinstance(made, bytes) else json.dumps(made).encode()

    def send(target: Target, size: int) -> None:
        target.call("POST", path.format(intent=target.intent), body(size), **headers)

    send.prepare = body  # type: ignore[attr-defined]  Made before the clock runs: it would keep the looks at /healthz waiting.
    return send


def _get(path: str) -> Callable[[Target, int], None]:
    return lambda target, size: target.call("GET", path.format(intent=target.intent, size=size)) and None


def _chunks(key: str) -> Callable[[Target, int], None]:
    about = head("POST", "/api/v1/intents", f"X-API-Key: {key}", "Transfer-Encoding: chunked")
    return lambda target, size: target.speak(about, b"1\r\na\r\n" * size) and None


def _headers(target: Target, size: int) -> None:
    target.speak(head("GET", "/healthz", *[f"X-{number}: a" for number in range(size)]))


def _one_header(target: Target, size: int) -> None:
    target.speak(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: ", b"a" * size, b"\r\n\r\n")


def _wrong_body(target: Target, size: int) -> None:
    target.speak(head("POST", "/api/v1/intents", f"X-API-Key: {WRONG}", f"Content-Length: {size}"), b"a" * size)


def _form(target: Target, size: int) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    target.call(
        "POST",
        f"/intents/{target.intent}/attachments",
        part * size + b"--x--\r\n",
        Content_Type="multipart/form-data; boundary=x",
    )


def _patches(target: Target, size: int) -> None:
    version = str(target.call("GET", f"/intents/{target.intent}").json()["version"])
    patches = [{"op": "set", "path": f"/a/{number}", "value": number} for number in range(size)]
    target.call("POST", f"/intents/{target.intent}/state", {"patches": patches}, If_Match=version)


def _pipelined(target: Target, size: int) -> None:
    target.speak(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * (size - 1) + head("GET", "/healthz"))


def _sockets(key: str, field: str) -> Callable[[Target, int], None]:
    def send(target: Target, size: int) -> None:
        message = {"type": "subscribe", "topics": [{"all": True}], "key": key}
        message |= {f"x{number}": 1 for number in range(size)} if field == "unknown" else {field: [1] * size}
        target.websocket(json.dumps(message, separators=(",", ":")).encode())

    return send


def _sign_in(target: Target, size: int) -> None:
    target.speak(
        head("POST", "/admin/login/", f"Content-Length: {size}", "Content-Type: application/x-www-form-urlencoded"), b"a" * size
    )


INPUTS = [
    HostileInput("WebSocket: wrong topics", False, _sockets("wrong", "topics"), (100, 1_000, 130_000)),
    HostileInput("WebSocket: wrong event types", False, _sockets("wrong", "event_types"), (100, 1_000, 130_000)),
    HostileInput("WebSocket: unknown members", False, _sockets("wrong", "unknown"), (100, 1_000, 15_000)),
    HostileInput("WebSocket: empty fragments", False, lambda target, size: target.websocket(b"{", size), (1_000, 10_000, 100_000)),
    HostileInput("body of a wrong key", False, _wrong_body, (MiB, 10 * MiB, 10 * MiB)),
    HostileInput("headers", False, _headers, (199, 1_990, 100_000)),
    HostileInput("one header", False, _one_header, (60_000, MiB, 30 * MiB)),
    HostileInput("chunks of a byte, wrong key", False, _chunks(WRONG), (1_000, 10_000, 100_000)),
    HostileInput("pipelined requests", False, _pipelined, (10, 100, 10_000), is_many=True),
    HostileInput("sign-in form", False, _sign_in, (6_000, 60_000, MiB)),
    HostileInput("path", False, lambda target, size: target.speak(head("GET", "/" + "%0a" * size)) and None, (200, 2_000, 20_000)),
    HostileInput("wrong ids in a list", True, _post("/intents", lambda n: {"title": "t", "depends_on": [1] * n}), (1_000, 10_000, 500_000)),
    HostileInput("unknown fields", True, _post("/intents", lambda n: {"title": "t", **{f"f{i}": 1 for i in range(n)}}), (1_000, 10_000, 500_000)),
    HostileInput("text too long", True, _post("/intents", lambda n: {"title": "x" * n}), (100_000, MiB, 10 * MiB - 50)),
    HostileInput("JSON of empty lists", True, _post("/intents", lambda n: b"[" + b"[]," * n + b"1]"), (10_000, 100_000, 3_400_000)),
    HostileInput("JSON of small objects", True, _post("/intents", lambda n: b"[" + b'{"a":1},' * n + b"1]"), (10_000, 100_000, 1_300_000)),
    HostileInput("JSON of spaces and digits", True, _post("/intents", lambda n: b"[" + b"1111111111111111.0," * n + b"1]"), (5_000, 50_000, 500_000)),
    HostileInput("deep JSON", True, _post("/intents", lambda n: b"[" * n), (1_000, 100_000, 10 * MiB)),
    HostileInput("large state", True, _post("/intents", lambda n: {"title": "t", "state": {"a": ["x" * 10] * n}}), (1_000, 10_000, 70_000)),
    HostileInput("constraints beyond the limit", True, _post("/intents", lambda n: {"title": "t", "constraints": {"a": "x" * n}}), (100_000, MiB, 10 * MiB - 60)),
    HostileInput("batch of wrong events", True, _post("/intents/{intent}/events/batch", lambda n: {"events": [{"event_type": 1, "x": 1}] * n}), (100, 1_000, 300_000)),
    HostileInput("batch of large events", True, _post("/intents/{intent}/events/batch", lambda n: {"events": [{"event_type": "c", "payload": {"a": "x" * 200_000}}] * n}), (1, 10, 50)),
    HostileInput("patches", True, _patches, (100, 1_000, 1_000)),
    HostileInput("form of many parts", True, _form, (100, 1_000, 100_000)),
    HostileInput("chunks of a byte", True, _chunks(AGENT), (1_000, 10_000, 200_000)),
    HostileInput("filter of many words", True, _get("/intents?status=draft"), (1,)),
    HostileInput("search for wildcards", True, lambda target, size: target.call("GET", "/intents?q=" + "%25_" * size) and None, (10, 100, 10_000)),
    HostileInput("unknown parameters", True, lambda target, size: target.call("GET", "/intents?" + "&".join(f"a{i}=1" for i in range(size))) and None, (100, 900, 8_000)),
    HostileInput("cursor", True, lambda target, size: target.call("GET", "/events?cursor=" + "W1" * size) and None, (10, 1_000, 30_000)),
    HostileInput("ranges", True, lambda target, size: target.call("GET", f"/intents/{target.intent}", Range="bytes=" + "0-1," * size) and None, (10, 1_000, 15_000)),
    HostileInput("Idempotency-Key", True, lambda target, size: target.call("POST", "/intents", {"title": "t"}, Idempotency_Key="k" * size) and None, (255, 2_550, 60_000)),
    HostileInput("compressed body", True, _post("/intents", lambda n: gzip.compress(b" " * n), Content_Encoding="gzip"), (MiB, 10 * MiB, 100 * MiB)),
    HostileInput("page of large events", True, _get("/intents/{intent}/events?limit={size}"), (10, 100, 1_000)),
    HostileInput("page of large intents", True, _get("/intents?limit={size}"), (10, 100, 1_000)),
    HostileInput("page of all events", True, _get("/events?limit={size}&order=desc"), (10, 100, 1_000)),
]  # fmt: skip


def measure(vendor: str, folder: Path, *, only: Sequence[str] = (), is_quick: bool = False) -> Iterator[Cost]:
    """Send each input, alone, to a server of its own process, in its sizes; `is_quick`: in the largest only."""
    with Server(migrated_database(vendor, folder), OPENINTENT_LOG_LEVEL="warning") as server:
        target = Target(server)
        for _ in range(30):
            target.call("GET", "/intents")
        idle = _idle_cpu(target)
        for each in INPUTS:
            if only and each.name not in only:
                continue
            for size in each.sizes[-1:] if is_quick else dict.fromkeys(each.sizes):
                yield _measure(target, each, size, idle)


def _idle_cpu(target: Target) -> float:
    """Return the server's CPU per second while only the looks at /healthz are answered."""
    pid = target.server.process.pid
    begun, before = time.monotonic(), cpu_seconds(pid)
    with _waits(target):
        time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / (time.monotonic() - begun)


def _measure(target: Target, hostile: HostileInput, size: int, idle: float) -> Cost:
    """Measure one request; `idle` is the CPU per second that the server uses without it."""
    pid = target.server.process.pid
    getattr(hostile.send, "prepare", lambda size: None)(size)
    begun, before, memory = time.monotonic(), cpu_seconds(pid), reset_peak(pid)
    with _waits(target) as waits:
        hostile.send(target, size)
        time.sleep(2 * ASK_EVERY)
    used = cpu_seconds(pid) - before - idle * (time.monotonic() - begun)
    cpu = max(used, 0) / (size if hostile.is_many else 1)
    return Cost(hostile.name, hostile.has_key, size, cpu, peak(pid) - memory, max(waits))


@contextlib.contextmanager
def _waits(target: Target) -> Iterator[list[float]]:
    """Measure the latencies of /healthz while the block runs."""
    found: list[float] = []
    is_over = threading.Event()

    def ask() -> None:
        with requests.Session() as session:
            while not is_over.is_set():
                begun = time.monotonic()
                session.get(f"{target.server.url}/healthz", timeout=60)
                found.append(time.monotonic() - begun)
                is_over.wait(ASK_EVERY)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        time.sleep(ASK_EVERY / 2)
        yield found
    finally:
        is_over.set()
        asking.join()


def reset_peak(pid: int) -> int:
    """Let the kernel forget the peak. Return what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def table(costs: Sequence[Cost]) -> str:
    """Return a Markdown table with a row for each input; its sizes, and what each costs, are separated by slashes."""
    rows = ["| Input | Key | Sizes | CPU, ms | Memory, MiB | Longest wait of other requests, ms |", "|---|---|--:|--:|--:|--:|"]
    for name, of_name in groupby(costs, key=lambda cost: cost.name):
        each = list(of_name)
        cells = [
            "agent" if each[0].has_key else "none",
            " / ".join(f"{cost.size:,}" for cost in each),
            " / ".join(f"{cost.cpu * 1000:.0f}" for cost in each),
            " / ".join(f"{max(cost.memory, 0) / MiB:.1f}" for cost in each),
            " / ".join(f"{cost.wait * 1000:.0f}" for cost in each),
        ]
        mark = "" if all(cost.is_bounded for cost in each) else " **over**"
        rows.append(f"| {' | '.join([name, *cells])}{mark} |")
    over = sum(not cost.is_bounded for cost in costs)
    return "\n".join([*rows, "", f"{len(costs)} measured, {over} beyond a limit."])
