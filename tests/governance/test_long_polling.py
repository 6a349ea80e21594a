"""Long polling: `GET /arbitrations/{id}?wait=`, in a server process (rule A-6)."""

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext

import httpx2
import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import Http, until

pytestmark = [pytest.mark.rule("A-6"), pytest.mark.full]

THREADS = 2
MANY = 200
HEADERS = {"X-API-Key": "dev-user-key"}


@pytest.fixture(scope="module")
def few_threads(vendor, tmp_path_factory):
    url = migrated_database(vendor, tmp_path_factory.mktemp("waiting"))
    with Server(url, OPENINTENT_THREADS=str(THREADS)) as running:
        yield running


@pytest.fixture
def http(few_threads):
    with Http(few_threads) as client:
        yield client


@pytest.fixture
def arbitration(http):
    return asked(http)


def asked(http, **fields):
    intent = http.create()
    answer = http.post(f"/intents/{intent['id']}/arbitrate", {"reason": "We disagree", **fields})
    assert answer.status == 201, answer
    return answer.body


def decide(http, arbitration, decision="a"):
    answer = http.post(f"/intents/{arbitration['intent_id']}/decisions", {"decision": decision})
    assert answer.status == 201, answer
    return answer.body


@asynccontextmanager
async def client_of(server):
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(base_url=server.api, headers=HEADERS, timeout=70, limits=limits) as client:
        yield client


async def waiting(client, arbitration, wait=60):
    """Send a long poll, and give it time to arrive."""
    task = asyncio.create_task(client.get(f"/arbitrations/{arbitration['id']}", params={"wait": wait}))
    await asyncio.sleep(0)
    return task


async def test_waiting_requests_do_not_block_others_and_get_the_decision(few_threads, http, arbitration):
    async with client_of(few_threads) as client:
        waiters = [await waiting(client, arbitration) for _ in range(MANY)]
        for _ in range(100):
            assert (await client.get(f"/intents/{arbitration['intent_id']}")).status_code == 200
        assert (await client.post("/intents", json={"title": "Another"})).status_code == 201
        await asyncio.sleep(0.5)
        assert not any(waiter.done() for waiter in waiters)

        decision = await asyncio.to_thread(decide, http, arbitration)
        answers = await asyncio.wait_for(asyncio.gather(*waiters), 20)

    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["decision"] for answer in answers] == [decision] * MANY


async def test_waiting_requests_get_their_own_arbitration(few_threads, http):
    asking = [asked(http) for _ in range(3)]
    async with client_of(few_threads) as client:
        first, second, third = [await waiting(client, each) for each in asking]
        await asyncio.to_thread(decide, http, asking[1])

        assert (await asyncio.wait_for(second, 10)).json()["status"] == "resolved"
        assert not first.done()
        withdraw = await client.post(f"/arbitrations/{asking[0]['id']}/withdraw", json={})
        assert withdraw.status_code == 200
        assert (await asyncio.wait_for(first, 10)).json() == withdraw.json()
        assert not third.done()
        third.cancel()


async def test_waiting_requests_get_the_expiry(few_threads, http):
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    arbitration = asked(http, expires_at=soon)
    async with client_of(few_threads) as client:
        answer = await asyncio.wait_for(await waiting(client, arbitration), 20)

    assert answer.json()["status"] == "expired"


async def test_wait_ends_with_a_pending_arbitration_after_its_time(few_threads, arbitration):
    async with client_of(few_threads) as client:
        began = time.monotonic()
        answer = await (await waiting(client, arbitration, wait=1))

    assert 1 <= time.monotonic() - began < 10
    assert (answer.status_code, answer.json()) == (200, arbitration)


async def test_resolved_arbitration_is_returned_at_once(few_threads, http, arbitration):
    async with client_of(few_threads) as client:
        assert (await client.get(f"/arbitrations/{arbitration['id']}", params={"wait": 0})).json() == arbitration
        decide(http, arbitration)
        answer = await client.get(f"/arbitrations/{arbitration['id']}", params={"wait": 60})
        assert answer.json()["status"] == "resolved"
        for wait, status in (("61", 400), ("x", 400)):
            assert (await client.get(f"/arbitrations/{arbitration['id']}", params={"wait": wait})).status_code == status
        client.headers["X-API-Key"] = "wrong"
        assert (await client.get(f"/arbitrations/{arbitration['id']}", params={"wait": 60})).status_code == 401


async def test_disconnected_requests_leave_nothing_behind(few_threads, http, arbitration):
    """A server that kept their waits would not stop before they end."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(client_of(few_threads))
        waiters = [await waiting(client, arbitration) for _ in range(20)]
        await asyncio.sleep(0.5)
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)

    assert decide(http, arbitration)["arbitration_id"] == arbitration["id"]


async def test_decision_in_another_process_is_noticed(vendor, few_threads, http, arbitration):
    """On SQLite there is no other process: its writers share one."""
    second = Server(few_threads.database_url) if vendor == "postgresql" else nullcontext(few_threads)
    with second as other, Http(other) as elsewhere:
        async with client_of(few_threads) as client:
            waiter = await waiting(client, arbitration)
            await asyncio.sleep(0.5)
            await asyncio.to_thread(decide, elsewhere, arbitration)
            assert (await asyncio.wait_for(waiter, 10)).json()["status"] == "resolved"


def test_server_with_waiting_requests_stops_soon(vendor, tmp_path):
    with Server(migrated_database(vendor, tmp_path)) as server, Http(server) as http:
        arbitration = asked(http)
        with Http(server) as other:
            other.connection.request("GET", f"/api/v1/arbitrations/{arbitration['id']}?wait=60", headers=HEADERS)
            until(lambda: http.get(f"/arbitrations/{arbitration['id']}").status == 200, "the server's answer")
            server.process.terminate()
            response = other.connection.getresponse()
            assert (response.status, b'"pending"' in response.read()) == (200, True)
        assert server.process.wait(5) == 0
