"""WSGI bridge: the threads in which requests run (core.serving.wsgi_bridge)."""

import asyncio
import threading
from pathlib import Path

import pytest
import yaml

from config import asgi
from core.serving.wsgi_bridge import WSGIBridge


class Wsgi:
    """WSGI application whose requests to /api/slow… wait until `proceed` is set. It notes the thread of each request."""

    def __init__(self):
        self.proceed = threading.Event()
        self.threads = {}

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.threads[environ["REQUEST_METHOD"], path] = threading.current_thread().name
        if path.startswith("/api/slow"):
            assert self.proceed.wait(30)
        start_response("204 No Content", [])
        return Response()


class Response:
    def __iter__(self):
        return iter(())

    def close(self):
        pass


class Limits:
    def max_body(self, scope):
        return 10**6

    known_limit = looked_up_limit = max_body


def is_long(scope):
    return scope["path"].startswith("/api/slow/long")


@pytest.fixture
def wsgi():
    return Wsgi()


@pytest.fixture
def bridge(wsgi):
    bridge = WSGIBridge(wsgi, threads=2, limits=Limits(), is_short_write=asgi.is_short_write, is_long=is_long)
    yield bridge
    wsgi.proceed.set()
    bridge.close()


async def send(bridge, method, path, *parts):
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "http_version": "1.1", "headers": []}
    unsent, statuses = [*(parts or [b""])], []

    async def receive():
        return {"type": "http.request", "body": unsent.pop(0), "more_body": bool(unsent)}

    async def answer(message):
        statuses.append(message.get("status"))

    await bridge(scope, receive, answer)
    return statuses[0]


def test_short_writes_run_in_one_thread(bridge, wsgi):
    async def run():
        sent = [("POST", "/api/intents"), ("PATCH", "/api/intents/1"), ("DELETE", "/api/intents/1"), ("PUT", "/api/intents/1")]
        assert [await send(bridge, *each) for each in sent] == [204] * 4

    asyncio.run(run())
    assert set(wsgi.threads.values()) == {"django-writer-0"}


@pytest.mark.parametrize(
    ("method", "path", "parts"),
    [
        ("GET", "/api/slow", []),
        ("POST", "/api/slow/attachments", []),
        ("DELETE", "/api/slow/attachments/1", []),
        ("POST", "/api/slow/subscriptions", []),
        ("PATCH", "/api/slow/channels/1", []),
        ("POST", "/api/slow", [b"a", b"b"]),
    ],
)
def test_request_that_may_wait_holds_up_no_write(bridge, wsgi, method, path, parts):
    async def run():
        slow = asyncio.create_task(send(bridge, method, path, *parts))
        async with asyncio.timeout(30):
            assert await send(bridge, "POST", "/api/intents") == 204
            assert not slow.done()
            wsgi.proceed.set()
            assert await slow == 204

    asyncio.run(run())


def test_write_that_waits_holds_up_no_read(bridge, wsgi):
    async def run():
        slow = asyncio.create_task(send(bridge, "POST", "/api/slow"))
        async with asyncio.timeout(30):
            assert await send(bridge, "GET", "/api/intents") == 204
            assert not slow.done()
            wsgi.proceed.set()
            assert await slow == 204

    asyncio.run(run())


def test_long_requests_take_turns_and_hold_up_no_other(bridge, wsgi):
    async def run():
        long = [asyncio.create_task(send(bridge, "POST", f"/api/slow/long/{number}")) for number in range(8)]
        async with asyncio.timeout(30):
            assert await send(bridge, "GET", "/api/intents") == 204
            assert await send(bridge, "POST", "/api/intents") == 204
            while not (begun := [path for _, path in wsgi.threads if "long" in path]):
                await asyncio.sleep(0)
            assert len(begun) == 1
            wsgi.proceed.set()
            assert await asyncio.gather(*long) == [204] * 8

    asyncio.run(run())
    assert {thread for (_, path), thread in wsgi.threads.items() if "long" in path} == {"django-long-0"}


def test_writes_of_the_console_use_the_other_threads(bridge, wsgi):
    asyncio.run(send(bridge, "POST", "/admin/login/"))
    assert wsgi.threads["POST", "/admin/login/"] != "django-writer-0"


@pytest.mark.rule("G-8")
def test_plans_of_intents_run_in_the_thread_of_long_requests():
    path = next(path for path in yaml.safe_load(Path("openapi.yaml").read_text())["paths"] if path.endswith("/intents/batch"))
    assert asgi.bridge.is_long({"path": path})
    assert not asgi.bridge.is_long({"path": path.replace("batch", "1")})
