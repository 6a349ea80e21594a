"""The poller of awaited arbitrations, without a server and a database (rule A-6)."""

import asyncio
import threading
from uuid import UUID, uuid4

import orjson
import pytest

from governance import long_polling
from governance.long_polling import LongPollMiddleware, is_long_poll
from intents import wakeups

pytestmark = pytest.mark.rule("A-6")


class Bridge:
    """A stand-in for Django; the poller calls `threads.run`, which returns the pending ids."""

    def __init__(self, *pending: UUID) -> None:
        self.pending = set(pending)
        self.polls: list[list[UUID]] = []
        self.requests = 0
        self.threads = self
        self.broken = False

    async def run(self, function, ids):
        self.polls.append(ids)
        if self.broken:
            raise OSError("the database is away")
        return self.pending & set(ids)

    async def fetch(self, scope):
        self.requests += 1
        pk = UUID(scope["path"].rpartition("/")[2])
        body = {"id": str(pk), "status": "pending" if pk in self.pending else "resolved"}
        start = {"type": "http.response.start", "status": 200, "headers": []}
        return [start, {"type": "http.response.body", "body": orjson.dumps(body)}]


class Caller:
    def __init__(self, middleware: LongPollMiddleware, pk: UUID, seconds: int = 60) -> None:
        self.gone = asyncio.Event()
        self.got: list[dict] = []
        scope = {"method": "GET", "path": f"/api/v1/arbitrations/{pk}", "query_string": b"wait=%d" % seconds}
        assert is_long_poll(scope)
        self.task = asyncio.create_task(middleware(scope, self.receive, self.send))

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.got.append(message)

    async def status(self):
        await asyncio.wait_for(self.task, 10)
        return orjson.loads(self.got[1]["body"])["status"]


async def until(holds):
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def listener_count():
    return len(wakeups.events_committed._callbacks)


async def test_wakeup_polls_all_arbitrations_with_one_query(monkeypatch):
    monkeypatch.setattr(long_polling, "POLL_SECONDS", 1_000)
    first, second = uuid4(), uuid4()
    bridge = Bridge(first, second)
    middleware = LongPollMiddleware(bridge)
    callers = [Caller(middleware, pk) for pk in (first, second) for _ in range(50)]
    await until(lambda: bridge.polls and set(bridge.polls[-1]) == {first, second})
    assert bridge.requests == 100

    bridge.pending = {second}
    threading.Thread(target=wakeups.events_committed.notify).start()

    assert [await caller.status() for caller in callers[:50]] == ["resolved"] * 50
    assert not any(caller.task.done() for caller in callers[50:])
    middleware.poller.close()
    assert [await caller.status() for caller in callers[50:]] == ["pending"] * 50
    await until(lambda: listener_count() == 0)


async def test_poller_polls_without_a_wakeup(monkeypatch):
    monkeypatch.setattr(long_polling, "POLL_SECONDS", 0.01)
    pk = uuid4()
    bridge = Bridge(pk)
    caller = Caller(LongPollMiddleware(bridge), pk)
    await until(lambda: len(bridge.polls) > 2)

    bridge.pending.clear()

    assert await caller.status() == "resolved"


async def test_many_wakeups_are_one_poll_per_interval(monkeypatch):
    monkeypatch.setattr(long_polling, "POLL_SECONDS", 1_000)
    pk = uuid4()
    bridge, clock = Bridge(pk), asyncio.get_running_loop().time
    caller = Caller(LongPollMiddleware(bridge), pk)
    began = clock()

    for _ in range(200):
        wakeups.events_committed.notify()
        await asyncio.sleep(0.001)

    assert 2 <= len(bridge.polls) <= (clock() - began) / long_polling.MIN_INTERVAL + 2
    caller.gone.set()
    await asyncio.wait_for(caller.task, 10)


async def test_poller_drops_disconnected_requests_and_ends_with_the_last():
    pk = uuid4()
    middleware = LongPollMiddleware(Bridge(pk))
    one, other = Caller(middleware, pk), Caller(middleware, pk)
    await until(lambda: listener_count() == 1)

    one.gone.set()
    await asyncio.wait_for(one.task, 10)
    assert (one.got, middleware.bridge.requests) == ([], 2)
    assert not other.task.done()

    other.gone.set()
    await asyncio.wait_for(other.task, 10)
    await until(lambda: listener_count() == 0)
    assert middleware.poller._futures == {}


async def test_unreachable_database_is_polled_again(monkeypatch):
    monkeypatch.setattr(long_polling, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(long_polling.log, "warning", lambda *_, **__: None)
    pk = uuid4()
    bridge = Bridge(pk)
    bridge.broken = True
    caller = Caller(LongPollMiddleware(bridge), pk)
    await until(lambda: len(bridge.polls) > 2)
    assert not caller.task.done()

    bridge.broken, bridge.pending = False, set()

    assert await caller.status() == "resolved"


NONE = UUID(int=0)


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", f"/api/v1/arbitrations/{NONE}", b"wait=5"),
        ("GET", f"/api/v1/arbitrations/{NONE}", b""),
        ("GET", f"/api/v1/arbitrations/{NONE}/withdraw", b"wait=5"),
        ("GET", "/api/v1/arbitrations", b"wait=5"),
        ("GET", f"/api/v1/intents/{NONE}", b"wait=5"),
    ],
)
async def test_other_requests_do_not_wait(method, path, query):
    assert not is_long_poll({"method": method, "path": path, "query_string": query})
