"""Lease blocks that are cancelled or interrupted, at any point: no lease stays, and nothing is swallowed (protocol K-10)."""

import asyncio
import threading
from collections.abc import Coroutine

import pytest
from openintent import AsyncOpenIntentClient, LeaseConflictError, LeasePlace, OpenIntentClient, _lease

from ..conftest import to_response
from ..samples import INTENT, LEASE
from .conftest import revoke

pytestmark = [pytest.mark.rule("K-10"), pytest.mark.database("sqlite")]


@pytest.fixture(autouse=True)
def short_polls(monkeypatch):
    monkeypatch.setattr(_lease, "POLL_INTERVAL", 0.01)


@pytest.mark.case("coordination P5")
def test_lease_granted_to_a_cancelled_task_is_given_back(script):
    asked, answered = threading.Event(), threading.Event()

    def grant(request):
        asked.set()
        answered.wait()
        return to_response(LEASE)

    script.respond(grant, (204, None, {}))

    async def main():
        async with AsyncOpenIntentClient(script.url) as client:

            async def work():
                async with client.lease(INTENT["id"], "draft", 300):
                    pytest.fail("it was not to run")

            task = asyncio.create_task(work())
            await asyncio.to_thread(asked.wait)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            answered.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert client._server.tokens.find("POST", f"/api/v1/intents/{INTENT['id']}/state") is None

    asyncio.run(main())

    assert [seen.method for seen in script.seen] == ["POST", "DELETE"]


class Scene:
    """A scope for one use of a block: held by bob, if the use is to wait for it."""

    def __init__(self, server, ada, bob, intent, scope, is_held):
        self.server, self.ada, self.bob, self.intent, self.scope = server, ada, bob, intent, scope
        self.held = bob.acquire_lease(intent.id, scope) if is_held else None

    def release(self):
        if self.held:
            self.bob.release_lease(self.intent.id, self.held.id)

    def lose(self, lease):
        revoke(self.server, lease)

    def assert_nothing_is_left(self):
        self.release()
        assert self.ada.get_leases(self.intent.id) == [], self.scope
        lease = self.bob.acquire_lease(self.intent.id, self.scope)  # No place is left in the queue either.
        self.bob.release_lease(self.intent.id, lease.id)


class Waits:
    """A count of the waits of all tasks, which cancels one of them at the `number`th, and again at those that follow."""

    def __init__(self, number, times):
        self.left, self.times, self.task = number, times, None

    def create_task(self, loop, coroutine, **options):
        return asyncio.Task(CountedCoroutine(coroutine, self), loop=loop, **options)

    def count(self):
        self.left -= 1
        if -self.times < self.left <= 0:
            self.task.cancel()


class CountedCoroutine(Coroutine):
    """A coroutine each of whose waits is counted."""

    def __init__(self, inner, waits):
        self._inner, self._waits = inner, waits

    def send(self, value):
        found = self._inner.send(value)
        self._waits.count()
        return found

    def throw(self, *error):
        found = self._inner.throw(*error)
        self._waits.count()
        return found

    def close(self):
        self._inner.close()

    def __await__(self):
        return self._inner.__await__()


async def alone(client, intent, scope):
    async with client.lease(intent.id, scope):
        await client.log_event(intent.id, "comment")


async def nested(client, intent, scope):
    async with client.lease(intent.id, scope), client.lease(intent.id, scope, 600):
        await client.log_event(intent.id, "comment")


async def repeated(client, intent, scope):
    block = client.lease(intent.id, scope)
    for _ in range(2):
        async with block:
            await client.log_event(intent.id, "comment")


async def within_a_lost_one(client, intent, scope):
    async with client.lease(intent.id, scope) as lease:
        client.lose(lease)
        with pytest.raises(LeaseConflictError):
            async with client.lease(intent.id, scope):
                pytest.fail("it was not to run")


async def queued(client, intent, scope):
    async with client.lease(intent.id, scope, wait=30):
        await client.log_event(intent.id, "comment")


class AsyncWaiter(AsyncOpenIntentClient):
    """A client that gets the scope as soon as it has a place in the queue."""

    async def send(self, call):
        answer = await super().send(call)
        if isinstance(answer, LeasePlace) and answer.lease is None:
            self.release()
        return answer


@pytest.mark.parametrize("times", [1, 2, 4])
@pytest.mark.parametrize("use", [alone, nested, repeated, within_a_lost_one, queued])
def test_cancellation_at_any_await_leaves_no_lease_and_is_raised(server, ada, bob, intent, use, times, record_property):
    """The awaits are those of the block and of the tasks that it creates, down to the connection."""

    async def run(number):
        async with AsyncWaiter(server.url, api_key="agent-research-key", agent_id="ada") as client:
            scene = Scene(server, ada, bob, intent, f"draft{number}", use is queued)
            client.release, client.lose = scene.release, scene.lose
            waits, loop = Waits(number, times), asyncio.get_running_loop()
            loop.set_task_factory(waits.create_task)
            waits.task = loop.create_task(use(client, intent, scene.scope))
            await asyncio.wait([waits.task])
            assert waits.task.cancelled() == (waits.left <= 0), number
            scene.assert_nothing_is_left()
            return waits.task.cancelled()

    number = 1
    while asyncio.run(run(number)):
        number += 1

    record_property("awaits", number - 1)
    assert number > 10


class Interruption:
    """Ctrl-C before or after the `number`th request of a client is sent."""

    def __init__(self, client, number, when):
        self.left, self.when, self.really_send = number, when, client._send
        client._send = self.send

    def send(self, request):
        self.left -= 1
        if self.left == 0 and self.when == "before":
            raise KeyboardInterrupt
        answer = self.really_send(request)
        if self.left == 0:
            raise KeyboardInterrupt
        return answer


def use_alone(client, intent, scope):
    with client.lease(intent.id, scope):
        pass


def use_nested(client, intent, scope):
    with client.lease(intent.id, scope), client.lease(intent.id, scope, 600):
        client.log_event(intent.id, "comment")


def use_within_a_lost_one(client, intent, scope):
    with client.lease(intent.id, scope) as lease:
        client.lose(lease)
        with pytest.raises(LeaseConflictError), client.lease(intent.id, scope):
            pytest.fail("it was not to run")


def use_queued(client, intent, scope):
    with client.lease(intent.id, scope, wait=30):
        pass


class Waiter(OpenIntentClient):
    """A client that gets the scope as soon as it has a place in the queue."""

    def send(self, call):
        answer = super().send(call)
        if isinstance(answer, LeasePlace) and answer.lease is None:
            self.release()
        return answer


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("use", [use_alone, use_nested, use_within_a_lost_one, use_queued])
def test_interrupt_at_any_request_leaves_no_lease_and_is_raised(server, ada, bob, intent, use, when):
    def run(number):
        with Waiter(server.url, api_key="agent-research-key", agent_id="ada") as client:
            scene = Scene(server, ada, bob, intent, f"draft{number}", use is use_queued)
            client.release, client.lose = scene.release, scene.lose
            interruption, is_interrupted = Interruption(client, number, when), False
            try:
                use(client, intent, scene.scope)
            except KeyboardInterrupt:
                is_interrupted = True
            assert is_interrupted == (interruption.left <= 0), number
            scene.assert_nothing_is_left()
            return is_interrupted

    number = 1
    while run(number):
        number += 1

    assert number > 2
