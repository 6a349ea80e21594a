"""A scripted server, and both clients behind one interface."""

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from openintent import AsyncEventStream, AsyncOpenIntentClient, Event, OpenIntentClient
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from .fake_stream_server import FakeStreamServer


@dataclass(frozen=True)
class RecordedRequest:
    """A recorded request; `target` is still percent-encoded."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any


class ScriptedServer:
    """A server that returns the next of `answers` to each request and records the request."""

    def __init__(self, http: HTTPServer) -> None:
        self.url = f"http://{http.host}:{http.port}"
        self.answers: list[Response | Callable[[Request], Response]] = []
        self.seen: list[RecordedRequest] = []
        http.expect_request(re.compile(".*")).respond_with_handler(self._handle)

    def respond(self, *answers: Any) -> None:
        """Add answers: JSON, `(status, JSON or text, headers)`, or a function of the request."""
        self.answers += [answer if callable(answer) else to_response(answer) for answer in answers]

    def _handle(self, request: Request) -> Response:
        body = request.get_data()
        self.seen.append(
            RecordedRequest(
                request.method,
                request.environ["REQUEST_URI"],
                dict(request.headers),
                json.loads(body) if body else None,
            )
        )
        answer = self.answers.pop(0)
        return answer(request) if callable(answer) and not isinstance(answer, Response) else answer


def to_response(answer: Any) -> Response:
    status, body, headers = answer if isinstance(answer, tuple) else (200, answer, {})
    if body is None or isinstance(body, str):
        return Response(body, status=status, headers=headers)
    return json_response(body, status, headers)


def json_response(body: Any, status: int = 200, headers: Any = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/json")


class BlockingClient:
    """An `AsyncOpenIntentClient` with blocking methods, so that one test covers both clients."""

    def __init__(self, client: AsyncOpenIntentClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not inspect.iscoroutinefunction(value):
            return value
        return lambda *args, **kwargs: self._runner.run(value(*args, **kwargs))

    def stream(self, **kwargs: Any) -> "BlockingStream":
        return BlockingStream(self._client.stream(**kwargs), self._runner)


class BlockingStream:
    """An `AsyncEventStream` with blocking methods."""

    def __init__(self, stream: AsyncEventStream, runner: asyncio.Runner) -> None:
        self._stream = stream
        self._runner = runner

    @property
    def position(self) -> int | None:
        return self._stream.position

    def __enter__(self) -> "BlockingStream":
        self._runner.run(_run(self._stream.__aenter__))
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __iter__(self) -> "BlockingStream":
        return self

    def __next__(self) -> Event:
        try:
            return self._runner.run(_run(self._stream.__anext__))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        self._runner.run(self._stream.aclose())


async def _run(method: Callable[[], Any]) -> Any:
    return await method()


@pytest.fixture(scope="session")
def http() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as http:
        yield http


@pytest.fixture
def script(http: HTTPServer) -> Iterator[ScriptedServer]:
    yield ScriptedServer(http)
    http.clear()


@pytest.fixture
def slept() -> list[float]:
    """The pauses that clients made instead of sleeping."""
    return []


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, slept: list[float]) -> Iterator[Callable[..., Any]]:
    """Makes a client of each kind, with waiting methods and without real pauses."""
    with asyncio.Runner() as runner:
        clients: list[Any] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        def connect(*args: Any, **kwargs: Any) -> Any:
            if request.param == "sync":
                client: Any = OpenIntentClient(*args, **kwargs)
                client._sleep = slept.append
            else:
                inner = AsyncOpenIntentClient(*args, **kwargs)
                inner._sleep = sleep
                client = BlockingClient(inner, runner)
            clients.append(client)
            return client

        yield connect
        for client in clients:
            client.close()


@pytest.fixture
def client(connect: Callable[..., Any], script: ScriptedServer) -> Any:
    return connect(script.url, "secret-key", "ada")


@pytest.fixture(params=["chunked", "unchunked"])
def stream_server(request):
    stream_server = FakeStreamServer(chunked=request.param == "chunked")
    yield stream_server
    stream_server.close()
