"""Thread pool of an event loop (core.serving.thread_pool)."""

import asyncio
import threading
from contextlib import contextmanager

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


@pytest.fixture
def in_turn():
    """A pool of three threads, of which one takes calls, and another one if a call has run for 10 ms."""
    pool = ThreadPool(3, "test", patience=0.01)
    yield pool
    pool.close()


def thread():
    return threading.current_thread().name


async def block(pool, release):
    """Occupy a thread of the pool until `release` is set, and return the call."""
    begun = threading.Event()

    def call():
        begun.set()
        return release.wait(30)

    blocked = asyncio.create_task(pool.run(call, expires=True))
    while not begun.is_set() and not blocked.done():
        await asyncio.sleep(0.001)
    return blocked


def test_short_calls_of_a_pool_with_patience_run_in_one_thread():
    pool = ThreadPool(3, "test", patience=30)

    async def run():
        return await asyncio.gather(*(pool.run(thread, expires=True) for _ in range(100)))

    assert len({*asyncio.run(run())}) == 1
    pool.close()


def test_calls_behind_long_ones_get_the_other_threads(in_turn):
    async def run():
        release = threading.Event()
        first = await block(in_turn, release)
        second = await block(in_turn, release)
        others = {*await asyncio.gather(*(in_turn.run(thread, expires=True) for _ in range(100)))}
        release.set()
        assert await asyncio.gather(first, second) == [True, True]
        return others

    assert len(asyncio.run(run())) == 1


def test_other_threads_rest_when_the_long_call_has_ended(in_turn):
    async def threads():
        return {*await asyncio.gather(*(in_turn.run(thread, expires=True) for _ in range(100)))}

    async def run():
        release = threading.Event()
        blocked = await block(in_turn, release)
        await threads()
        release.set()
        await blocked
        while len(await threads()) > 1:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_pool_with_patience_goes_on_when_its_last_thread_is_free(in_turn):
    async def run():
        releases = [threading.Event() for _ in range(3)]
        blocked = [await block(in_turn, each) for each in releases]
        waiting = [asyncio.create_task(in_turn.run(divmod, 7, 2, expires=True)) for _ in range(20)]
        await asyncio.sleep(0.05)  # Several times the patience: there is no thread to pass the turn to.
        assert not any(each.done() for each in waiting)
        releases[0].set()
        assert await asyncio.gather(*waiting) == [(3, 1)] * 20
        for each in releases:
            each.set()
        assert all(await asyncio.gather(*blocked))

    asyncio.run(run())


def test_pool_with_patience_serves_another_loop_after_one_that_ended(in_turn):
    release = threading.Event()

    async def leave():
        await block(in_turn, release)
        asyncio.create_task(in_turn.run(divmod, 1, 1, expires=True))  # noqa: RUF006  The loop ends before it.
        await asyncio.sleep(0)

    async def run():
        assert await in_turn.run(divmod, 7, 2, expires=True) == (3, 1)

    asyncio.run(leave())
    asyncio.run(run())
    release.set()


def test_closed_pool_with_patience_has_finished_its_calls():
    pool, ran = ThreadPool(3, "test", patience=0.01), []

    async def run():
        release = threading.Event()
        await block(pool, release)
        for number in range(10):
            pool.submit(ran.append, number, done=lambda *_: None)
        release.set()
        await asyncio.to_thread(pool.close)

    asyncio.run(run())
    assert sorted(ran) == [*range(10)]
    assert not any(each.is_alive() for each in pool._threads)


class Together:
    """Block around calls that run together: it notes them, and ends with `error` if there is one."""

    def __init__(self):
        self.blocks, self.error, self.may_go_on = [], None, True

    @contextmanager
    def __call__(self):
        self.blocks.append([])
        yield lambda: self.may_go_on
        self.blocks[-1].append("end")
        if self.error:
            raise self.error

    def call(self, what):
        self.blocks[-1].append(what)
        if what == "fails":
            raise LookupError(what)
        return what


@pytest.fixture
def together():
    return Together()


@pytest.fixture
def run_waiting(together):
    """Run calls that have all been waiting for the thread of a pool with `together`, and return their outcomes."""
    pool = ThreadPool(1, "test", together=together)

    def run_waiting(*whats):
        release = threading.Event()

        async def run():
            first = asyncio.create_task(pool.run(release.wait, 30))
            await asyncio.sleep(0)
            waiting = [asyncio.create_task(pool.run(together.call, what, expires=True)) for what in whats]
            await asyncio.sleep(0)
            release.set()
            return (await asyncio.gather(first, *waiting, return_exceptions=True))[1:]

        return asyncio.run(run())

    yield run_waiting
    pool.close()


def test_waiting_calls_run_together_and_fail_alone(run_waiting, together):
    outcomes = run_waiting("a", "fails", "b")

    assert [outcomes[0], str(outcomes[1]), outcomes[2]] == ["a", "fails", "b"]
    assert together.blocks == [["a", "fails", "b", "end"]]


def test_outcome_is_known_at_the_end_of_the_block_only(run_waiting, together):
    together.error = Unavailable()

    assert run_waiting("a", "fails", "b") == [together.error] * 3


def test_number_of_calls_that_run_together_is_limited(run_waiting, together, monkeypatch):
    monkeypatch.setattr(thread_pool, "MOST_TOGETHER", 3)
    monkeypatch.setattr(thread_pool, "LONGEST_TOGETHER", 30)

    assert run_waiting(*"abcde") == [*"abcde"]
    assert together.blocks == [["a", "b", "end"], ["c", "d", "e", "end"]]  # The first call is the fixture's.


def test_time_in_which_calls_begin_together_is_limited(run_waiting, together, monkeypatch):
    monkeypatch.setattr(thread_pool, "LONGEST_TOGETHER", 0)

    assert run_waiting("a", "b") == ["a", "b"]
    assert together.blocks == [["end"], ["a", "end"], ["b", "end"]]


def test_no_call_joins_a_block_that_may_not_go_on(run_waiting, together):
    together.may_go_on = False

    assert run_waiting("a", "b") == ["a", "b"]
    assert together.blocks == [["end"], ["a", "end"], ["b", "end"]]


def test_calls_that_wait_at_the_close_are_finished_together():
    together = Together()
    pool = ThreadPool(1, "test", together=together)
    release = threading.Event()

    async def run():
        calls = [
            asyncio.create_task(pool.run(function, argument))
            for function, argument in [(release.wait, 30), (together.call, "a"), (together.call, "b")]
        ]
        await asyncio.sleep(0)
        release.set()
        await asyncio.to_thread(pool.close)
        return await asyncio.gather(*calls)

    assert asyncio.run(run()) == [True, "a", "b"]
