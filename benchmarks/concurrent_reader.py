"""A client that reads beside a load, in a process of its own: else it would measure how busy the load's own clients are."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter

from benchmarks.load import KEY

REST = 0.02  # Seconds from one read to the next: a client that never rests would measure itself.


class Reader:
    """`begin` to read a path; `end` returns the seconds of each read since then."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def begin(self, path: str) -> None:
        self._line.send(path)

    def end(self) -> list[float]:
        self._line.send("")
        times: list[float] = self._line.recv()
        return times


@contextmanager
def reader(address: str) -> Iterator[Reader]:
    """A reader of the server at `host:port`, while the block runs."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_read, args=(address, theirs), daemon=True)
    process.start()
    try:
        yield Reader(ours)
    finally:
        ours.close()
        process.join()


def _read(address: str, line: Connection) -> None:
    connection = http.client.HTTPConnection(address)
    try:
        while path := line.recv():
            times: list[float] = []
            while not times or not line.poll(REST):
                begun = perf_counter()
                connection.request("GET", path, headers={"X-API-Key": KEY})
                connection.getresponse().read()
                times.append(perf_counter() - begun)
            line.recv()
            line.send(times)
    except EOFError:
        connection.close()
