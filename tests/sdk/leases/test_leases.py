"""`client.lease()` and the token that goes with it (protocol K-5, L-4), against a live server, with both clients."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from openintent import AsyncOpenIntentClient, InputValidationError, LeaseConflictError, OpenIntentClient

from tests.system.concurrent_clients import until

from ..samples import INTENT, LEASE
from .conftest import connect, connect_async, event_types, lease_of, revoke, statuses

pytestmark = [pytest.mark.rule("K-5"), pytest.mark.database("sqlite")]


class Block:
    """`with client.lease(…)` of either client, run by a test that does not care which."""

    def __init__(self, server, kind):
        self.server, self.kind = server, kind

    def run(self, intent, scope, body, *, agent="ada", **options):
        """Run `body(lease, write)` within the block; `write(key, version)` writes to the intent's state with the same client."""
        if self.kind == "sync":
            with connect(self.server, agent) as client, client.lease(intent.id, scope, **options) as lease:
                return body(lease, lambda key, version: client.update_state(intent.id, version, {key: 1}))
        return asyncio.run(self._run(intent, scope, body, agent, options))

    async def _run(self, intent, scope, body, agent, options):
        async with (
            connect_async(self.server, agent) as client,
            client.lease(intent.id, scope, **options) as lease,
        ):
            loop = asyncio.get_running_loop()

            def write(key, version):
                return asyncio.run_coroutine_threadsafe(client.update_state(intent.id, version, {key: 1}), loop).result(30)

            return await asyncio.to_thread(body, lease, write)


@pytest.fixture(params=["sync", "async"])
def block(request, server):
    return Block(server, request.param)


def test_the_scope_is_held_while_the_block_runs_and_free_after_it(block, ada, bob, intent):
    def body(lease, _):
        assert (lease.scope, lease.agent_id, lease.status) == ("content.draft", "ada", "active")
        with pytest.raises(LeaseConflictError) as refused:
            bob.acquire_lease(intent.id, "content")
        assert refused.value.existing_lease["id"] == lease.id
        assert [each.id for each in bob.get_leases(intent.id)] == [lease.id]

    block.run(intent, "content.draft", body)

    assert statuses(ada, intent) == ["released"]


def test_lease_is_released_after_an_error_in_the_block(block, ada, intent):
    def body(lease, _):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block.run(intent, "content", body)

    assert statuses(ada, intent) == ["released"]


def test_a_scope_that_is_taken_is_refused_at_once(block, bob, intent):
    bob.acquire_lease(intent.id, "content")

    with pytest.raises(LeaseConflictError) as refused:
        block.run(intent, "content", lambda lease, _: pytest.fail("it was not to run"))

    assert refused.value.code == "lease_conflict"


def test_a_scope_that_is_taken_is_waited_for(block, bob, intent):
    held = bob.acquire_lease(intent.id, "content", duration_seconds=1)

    assert block.run(intent, "content", lambda lease, _: lease.fencing_token, wait=30) == held.fencing_token + 1


def test_wait_ends_when_the_time_is_over(block, bob, intent):
    bob.acquire_lease(intent.id, "content")

    with pytest.raises(LeaseConflictError):
        block.run(intent, "content", lambda lease, _: None, wait=0.2)


@pytest.mark.rule("L-9")
@pytest.mark.case("coordination O24")
def test_block_that_waits_gets_the_scope_before_its_last_holder(block, server, bob, intent):
    held, entered = bob.acquire_lease(intent.id, "content"), threading.Event()

    def release_and_acquire_again():
        with connect(server, "cleo") as cleo:
            until(lambda: someone_waits(cleo), "someone waits")
        bob.release_lease(intent.id, held.id)
        with pytest.raises(LeaseConflictError) as refused:
            bob.acquire_lease(intent.id, "content")
        assert refused.value.existing_lease["agent_id"] == "ada"
        assert entered.wait(30)

    def someone_waits(cleo):
        place = cleo.join_lease_queue(intent.id, "content")
        cleo.leave_lease_queue(intent.id, place.id)
        return place.position == 2

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(release_and_acquire_again)
        block.run(intent, "content.draft", lambda lease, _: entered.set(), wait=30)
        other.result(30)

    assert statuses(bob, intent) == ["released", "released"]


@pytest.mark.rule("L-9")
def test_block_that_ceases_to_wait_leaves_the_queue(block, ada, bob, intent):
    held = bob.acquire_lease(intent.id, "content")
    with pytest.raises(LeaseConflictError) as refused:
        block.run(intent, "content", lambda lease, _: None, wait=0.2)
    assert refused.value.existing_lease["id"] == held.id

    bob.release_lease(intent.id, held.id)

    assert bob.acquire_lease(intent.id, "content").fencing_token == held.fencing_token + 1


@pytest.mark.rule("L-9")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_server_without_queues_is_asked_again_for_the_lease(script, kind):
    taken = (
        409,
        {"code": "lease_conflict", "title": "Lease conflict", "status": 409, "detail": "Taken", "existing_lease": LEASE},
        {},
    )
    script.respond(
        taken,
        (404, {"code": "not_found", "title": "Not found", "status": 404, "detail": "No route"}, {}),
        taken,
        LEASE,
        (204, None, {}),
    )

    async def main():
        async with AsyncOpenIntentClient(script.url) as client, client.lease(INTENT["id"], "draft", 300, wait=30) as lease:
            return lease.id

    if kind == "async":
        found = asyncio.run(main())
    else:
        with OpenIntentClient(script.url) as client, client.lease(INTENT["id"], "draft", 300, wait=30) as lease:
            found = lease.id

    assert found == LEASE["id"]
    assert [request.target.rpartition("/")[2] for request in script.seen[:4]] == ["leases", "lease-queue", "leases", "leases"]


def test_the_lease_is_renewed_while_the_block_runs(block, ada, intent):
    def body(lease, _):
        until(lambda: lease_of(ada, intent).expires_at > lease.expires_at, "a renewal")

    block.run(intent, "content", body, duration_seconds=2)

    assert "lease_expired" not in event_types(ada, intent)


def test_a_lease_that_the_agent_held_before_stays_held(block, ada, intent):
    before = ada.acquire_lease(intent.id, "content", duration_seconds=60)

    inside = block.run(intent, "content", lambda lease, _: lease.id, duration_seconds=60)

    assert inside == before.id
    assert [lease.id for lease in ada.get_leases(intent.id)] == [before.id]


@pytest.mark.rule("L-4")
def test_write_in_a_block_with_a_revoked_lease_is_rejected(block, server, bob, intent):
    def body(lease, write):
        revoke(server, lease, "it stalled")
        with pytest.raises(LeaseConflictError) as refused:
            write("late", 1)
        assert refused.value.code == "lease_lost"

    block.run(intent, "content", body)

    assert bob.get_intent(intent.id).state == {"content": {}}


@pytest.mark.rule("L-4")
@pytest.mark.parametrize("end", ["release", "acquire again"])
def test_lost_lease_refuses_writes_until_it_is_released_or_acquired(server, ada, intent, end):
    lease = ada.acquire_lease(intent.id, "content")
    revoke(server, lease)

    for _ in range(2):
        with pytest.raises(LeaseConflictError):
            ada.update_state(intent.id, 1, {"late": 1})

    if end == "release":
        ada.release_lease(intent.id, lease.id)
    else:
        ada.acquire_lease(intent.id, "content")
    assert ada.update_state(intent.id, 1, {"mine again": 1}).version == 2


@pytest.mark.rule("L-4")
def test_a_released_lease_sends_no_token(ada, intent):
    lease = ada.acquire_lease(intent.id, "content")
    ada.release_lease(intent.id, lease.id)

    assert ada.update_state(intent.id, 1, {"a": 1}).version == 2


@pytest.mark.parametrize(("scope", "duration"), [("", 300), ("a..b", 300), ("a", 0), ("a", 86_401), ("a", 1.5)])
def test_invalid_lease_is_rejected_before_the_block(ada, intent, scope, duration):
    with pytest.raises(InputValidationError):
        ada.lease(intent.id, scope, duration)


def test_a_cancelled_block_releases_its_lease(server, ada, intent):
    async def main():
        async with connect_async(server) as client:
            inside = asyncio.Event()

            async def work():
                async with client.lease(intent.id, "content"):
                    inside.set()
                    await asyncio.Event().wait()

            task = asyncio.create_task(work())
            await inside.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())

    assert statuses(ada, intent) == ["released"]
