"""Thread pool of an event loop (core.serving.thread_pool)."""

import asyncio
import threading

import pytest

from core.errors import Unavailable
from core.serving import thread_pool
from core.serving.thread_pool import ThreadPool


@pytest.fixture
def pool():
    pool = ThreadPool(1, "test")
    yield pool
    pool.close()


def test_results_and_errors_reach_the_caller(pool):
    def fail():
        raise LookupError("none")

    async def run():
        assert await pool.run(divmod, 7, 2) == (3, 1)
        with pytest.raises(LookupError, match="none"):
            await pool.run(fail, expires=True)

    asyncio.run(run())


def test_call_that_waits_too_long_is_refused_and_never_runs(pool, monkeypatch):
    monkeypatch.setattr(thread_pool, "WAIT_SECONDS", 0.05)
    release, ran = threading.Event(), []

    async def run():
        blocked = asyncio.create_task(pool.run(release.wait, 30, expires=True))
        await asyncio.sleep(0)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await pool.run(ran.append, "refused", expires=True)
        release.set()
        assert await blocked
        await pool.run(ran.append, "after", expires=True)

    asyncio.run(run())
    assert ran == ["after"]


def test_cancelled_caller_leaves_the_thread_to_others(pool):
    release = threading.Event()

    async def run():
        blocked = asyncio.create_task(pool.run(release.wait, 30, expires=True))
        waiting = asyncio.create_task(pool.run(divmod, 1, 1, expires=True))
        await asyncio.sleep(0)
        blocked.cancel()
        waiting.cancel()
        release.set()
        assert await pool.run(divmod, 7, 2, expires=True) == (3, 1)

    asyncio.run(run())


def test_closed_pool_refuses_calls():
    pool = ThreadPool(1, "test")
    pool.close()

    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(pool.run(divmod, 1, 1))
