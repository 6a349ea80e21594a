"""Lease blocks that are nested, repeated, shared, or lose their lease (protocol K-9, K-10)."""

import asyncio
import threading
import time

import pytest
from openintent import AsyncOpenIntentClient, LeaseConflictError, OpenIntentClient, _lease

from tests.system.concurrent_clients import until

from ..conftest import to_response
from ..samples import INTENT, LEASE
from ..test_forks import fork
from .conftest import connect_async, event_types, lease_of, revoke, statuses

pytestmark = [pytest.mark.rule("K-10"), pytest.mark.database("sqlite")]


def test_an_inner_block_neither_shortens_nor_releases_the_lease(ada, intent):
    with ada.lease(intent.id, "draft", 300) as outer:
        with ada.lease(intent.id, "draft", 1) as inner:
            assert inner.id == outer.id
            until(
                lambda: "lease_renewed" in event_types(ada, intent) or lease_of(ada, intent).expires_at >= outer.expires_at,
                "a renewal, or none that is needed",
            )
        assert lease_of(ada, intent).expires_at >= outer.expires_at

    assert statuses(ada, intent) == ["released"]


def test_a_longer_lease_held_before_is_not_shortened(ada, intent):
    before = ada.acquire_lease(intent.id, "draft", duration_seconds=600)

    with ada.lease(intent.id, "draft", 1):
        until(lambda: "lease_renewed" in event_types(ada, intent), "a renewal")
        assert lease_of(ada, intent).expires_at >= before.expires_at

    assert lease_of(ada, intent).id == before.id


def test_a_block_may_be_entered_again(ada, intent):
    block = ada.lease(intent.id, "draft")

    with block as first:
        pass
    with block as second, block as third:
        assert first.id != second.id == third.id
        ada.update_state(intent.id, 1, {"a": 1})

    assert statuses(ada, intent) == ["released", "released"]
    assert ada.update_state(intent.id, 2, {"a": 2}).version == 3


def test_an_async_block_may_be_entered_again(server, ada, intent):
    async def main():
        async with connect_async(server) as client:
            block = client.lease(intent.id, "draft", 300)
            async with block:
                pass
            async with block as outer, client.lease(intent.id, "draft", 1) as inner:
                assert inner.id == outer.id
            assert statuses(ada, intent) == ["released", "released"]

    asyncio.run(main())


@pytest.mark.rule("K-9")
@pytest.mark.case("coordination O6")
def test_the_last_thread_in_a_scope_releases_it(ada, intent):
    entered, leave, left = threading.Barrier(3, timeout=30), threading.Event(), threading.Event()

    def first():
        with ada.lease(intent.id, "draft"):
            entered.wait()
        left.set()

    def second():
        with ada.lease(intent.id, "draft"):
            entered.wait()
            leave.wait(30)

    threads = [threading.Thread(target=each) for each in (first, second)]
    for thread in threads:
        thread.start()
    entered.wait()
    assert left.wait(30)
    assert lease_of(ada, intent).status == "active"
    assert ada.update_state(intent.id, 1, {"a": 1}).version == 2
    leave.set()
    for thread in threads:
        thread.join(30)

    assert statuses(ada, intent) == ["released"]
    assert ada._server.tokens.find("POST", f"/api/v1/intents/{intent.id}/state") is None


@pytest.mark.rule("K-9", "L-4")
@pytest.mark.case("coordination O7")
def test_a_loss_is_known_to_all_threads_until_the_block_ends(server, ada, intent):
    refused = []

    def write():
        try:
            ada.log_event(intent.id, "comment")
        except LeaseConflictError as error:
            refused.append(error.code)

    with ada.lease(intent.id, "draft") as lease:
        revoke(server, lease)
        for _ in range(3):
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
        with pytest.raises(LeaseConflictError):
            ada.update_state(intent.id, 1, {"a": 1})

    assert refused == ["lease_lost"] * 3
    assert ada.update_state(intent.id, 1, {"a": 1}).version == 2


@pytest.mark.rule("L-4")
@pytest.mark.case("coordination P9")
def test_blocking_code_in_an_async_block_writes_nothing_unfenced(server, ada, intent):
    async def main():
        async with connect_async(server) as client, client.lease(intent.id, "draft", 1):
            until(lambda: "lease_expired" in event_types(ada, intent) or not ada.get_leases(intent.id), "the lease's end")
            for _ in range(2):
                with pytest.raises(LeaseConflictError):
                    await client.update_state(intent.id, 1, {"late": 1})

    asyncio.run(main())

    assert ada.get_intent(intent.id).state == {"content": {}}


def test_a_block_within_a_lost_one_is_refused(server, ada, intent):
    with ada.lease(intent.id, "draft") as outer:
        revoke(server, outer)

        with pytest.raises(LeaseConflictError) as caught, ada.lease(intent.id, "draft"):
            pytest.fail("it was not to run")

        assert caught.value.code == "lease_lost"
        with pytest.raises(LeaseConflictError):
            ada.update_state(intent.id, 1, {"a": 1})
    assert sorted(statuses(ada, intent)) == ["released", "revoked"]


def test_a_child_process_that_leaves_the_block_does_not_release(ada, intent):
    with ada.lease(intent.id, "draft") as lease:
        block = ada.lease(intent.id, "draft")
        block.__enter__()

        assert fork(lambda: block.__exit__(None, None, None))() == "False"

        assert lease_of(ada, intent).id == lease.id
        block.__exit__(None, None, None)


def scripted(script, *renewals):
    """Let the server grant a lease of a second, and answer to its renewals so, and then that it is renewed."""
    lease = {**LEASE, "expires_at": LEASE["acquired_at"].replace("05.678901", "06.678901")}
    answers, seen = list(renewals), []

    def answer(request):
        seen.append(request.method)
        if request.method == "PATCH" and answers:
            return answers.pop(0)
        return lease if request.method != "DELETE" else None

    script.respond(*[lambda request: to_response(answer(request))] * 50)
    return seen, answers


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 521])
def test_renewal_goes_on_through_passing_failures(script, kind, status):
    seen, answers = scripted(script, *[(status, {"code": "…"}, {})] * 4)

    def is_renewed():
        return not answers and seen.count("PATCH") > 4

    async def main():
        async with AsyncOpenIntentClient(script.url) as client, client.lease(INTENT["id"], "draft", 1):
            await asyncio.to_thread(until, is_renewed, "a renewal")

    if kind == "async":
        asyncio.run(main())
    else:
        with OpenIntentClient(script.url) as client, client.lease(INTENT["id"], "draft", 1):
            until(is_renewed, "a renewal")

    assert "DELETE" in seen


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.case("coordination O26")
def test_leaving_a_block_does_not_wait_for_a_server_that_hangs(script, monkeypatch, kind):
    monkeypatch.setattr(_lease, "PATIENCE", 0.3)
    over = threading.Event()

    script.respond(LEASE, *[lambda request: (over.wait(), to_response(LEASE))[1]] * 5)

    async def main():
        async with AsyncOpenIntentClient(script.url) as client:
            async with client.lease(INTENT["id"], "draft", 300):
                begun = time.monotonic()
            return time.monotonic() - begun

    if kind == "async":
        took = asyncio.run(main())
    else:
        with OpenIntentClient(script.url) as client:
            with client.lease(INTENT["id"], "draft", 300):
                begun = time.monotonic()
            took = time.monotonic() - begun
    over.set()

    assert took < 10  # Seconds; three attempts would take 90.
