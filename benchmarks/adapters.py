"""Overhead of the SDK's adapters per model request, and per chunk of a streamed response.

Measured twice: with a stub in the place of the provider's client, which answers at once, so that what is left is the adapter; and with
the `openai` package and a fake provider in a process of its own. Without and with the adapter take turns; the queue is empty when it
is the turn of those without, so that what the sending takes of the interpreter is counted among what the adapter adds.
"""

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from benchmarks.load import KEY
from benchmarks.results import quantile
from benchmarks.suite import LOG_LEVEL, Scale, Tell, migrated_database
from examples.fake_provider import Answer, FakeProvider, stream_chat, whole_chat
from tests.servers import Server

MODEL = "gpt-4o"
MESSAGES = [{"role": "user", "content": "How are you today? " * 50}]
FLUSH = 60.0  # Seconds.
BURST = 100
"""Requests to the stub at a time."""
CALLS = 25
"""Requests with the openai package at a time."""


@dataclass(frozen=True, slots=True)
class AdapterJob:
    server: str
    scale: Scale


@dataclass(slots=True)
class Pair:
    """Seconds without and with the adapter."""

    bare: list[float] = field(default_factory=list)
    adapted: list[float] = field(default_factory=list)

    @property
    def medians(self) -> tuple[float, float]:
        return quantile(self.bare, 0.5), quantile(self.adapted, 0.5)

    @property
    def added(self) -> float:
        bare, adapted = self.medians
        return adapted - bare


@dataclass(slots=True)
class Overhead:
    """With the OpenIntent server up, or away."""

    server: str
    request: Pair
    chunk: Pair
    """Of one chunk: a stream's time, by its chunks."""
    real: Pair


def measure(scale: Scale, folder: Path, pool: Executor, *, tell: Tell = print) -> list[Overhead]:
    """With the server up, and with nothing where it should be."""
    with Server(migrated_database("sqlite", folder), OPENINTENT_LOG_LEVEL=LOG_LEVEL) as server:
        found = [pool.submit(run, AdapterJob(server.url, scale)).result()]
    found.append(pool.submit(run, AdapterJob("", scale)).result())
    for each in found:
        tell(
            f"adapter, server {each.server}: {each.request.added * 1e6:.0f} µs a request, {each.chunk.added * 1e6:.2f} µs a chunk, "
            f"{each.real.added * 1e3:.2f} ms of {each.real.medians[0] * 1e3:.1f} with the openai package"
        )
    return found


def run(job: AdapterJob) -> Overhead:
    import openai  # noqa: PLC0415  They take seconds to import, and the other benchmarks do without.
    from openintent import OpenIntentClient  # noqa: PLC0415
    from openintent.adapters import OpenAIAdapter  # noqa: PLC0415

    logging.disable()  # A server that is away is warned of.
    scale = job.scale
    with OpenIntentClient(job.server or _nobody(), KEY) as client, _provider() as url:
        intent = client.create_intent(title="Measured").id if job.server else "away"
        stub = _stub(scale.adapter_chunks)
        wrapped = OpenAIAdapter(stub, client, intent)
        settle = (lambda: wrapped.flush(FLUSH)) if job.server else (lambda: None)
        with openai.OpenAI(base_url=f"{url}/v1", api_key="fake") as provider:
            real = OpenAIAdapter(provider, client, intent)
            rounds = scale.adapter_rounds
            return Overhead(
                "up" if job.server else "away",
                request=_taking_turns(_ask(stub), _ask(wrapped), rounds, BURST, settle),
                chunk=_per_chunk(_taking_turns(_read(stub), _read(wrapped), rounds, 2, settle), scale.adapter_chunks),
                real=_taking_turns(_ask(provider), _ask(real), rounds, CALLS, settle),
            )


def _taking_turns(bare: Callable[[], Any], adapted: Callable[[], Any], rounds: int, each: int, settle: Callable[[], Any]) -> Pair:
    pair = Pair()
    for _ in range(rounds):
        for times, call in (pair.bare, bare), (pair.adapted, adapted):
            for _ in range(each):
                begun = perf_counter()
                call()
                times.append(perf_counter() - begun)
        settle()
    return pair


def _per_chunk(streams: Pair, chunks: int) -> Pair:
    return Pair([each / chunks for each in streams.bare], [each / chunks for each in streams.adapted])


def _ask(client: Any) -> Callable[[], Any]:
    return lambda: client.chat.completions.create(model=MODEL, messages=MESSAGES)


def _read(client: Any) -> Callable[[], None]:
    def read() -> None:
        for _ in client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
            pass

    return read


def _stub(chunks: int) -> Any:
    """A client that has the openai package's own objects ready."""
    from openai.types.chat import ChatCompletion, ChatCompletionChunk  # noqa: PLC0415

    answer = Answer(MODEL, 1, "word " * chunks, None, tokens_in=100)
    pieces = [data for _, data in stream_chat(answer, {}) if isinstance(data, dict)]
    whole, stream = (
        ChatCompletion.model_validate(whole_chat(answer)),
        [ChatCompletionChunk.model_validate(each) for each in pieces],
    )

    def create(*, stream_options: Any = None, **asked: Any) -> Any:
        return iter(stream) if asked.get("stream") else whole

    return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))


def _nobody() -> str:
    """An address of this machine where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@contextmanager
def _provider() -> Iterator[str]:
    """The address of a fake provider, in a process of its own."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_provide, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join()


def _provide(line: Connection) -> None:
    with FakeProvider() as provider:
        line.send(provider.url)
        line.poll(None)  # Until the other end is closed.
