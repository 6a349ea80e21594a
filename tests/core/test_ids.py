"""Ids grow within a process, whatever its clock does."""

import os
import threading
import time
from itertools import pairwise
from uuid import UUID

import pytest

from core.ids import new_id, new_ids, new_ids_as_text


@pytest.mark.rule("E-7")
def test_ids_grow_within_a_millisecond_and_while_the_clock_is_set_back(monkeypatch):
    before = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000)
    ids = [before, *(new_id() for _ in range(10_000))]

    assert all(one < other for one, other in pairwise(ids))
    assert {each.version for each in ids} == {7}
    assert {each.variant for each in ids} == {before.variant}


@pytest.mark.parametrize("count", [0, 1, 2, 1_000])
@pytest.mark.parametrize(
    "several", [new_ids, lambda count: [UUID(each) for each in new_ids_as_text(count)]], ids=["ids", "texts"]
)
def test_several_ids_grow_like_single_ones(several, count):
    ids = [new_id(), *several(count), new_id()]

    assert len(ids) == count + 2
    assert all(one < other for one, other in pairwise(ids))
    assert {each.version for each in ids} == {7}


def test_threads_make_no_id_twice():
    made: list[list[object]] = []
    threads = [threading.Thread(target=lambda: made.append([new_id() for _ in range(2_500)] + new_ids(2_500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({each for ids in made for each in ids}) == 40_000


def test_ids_of_now_carry_the_time():
    after = time.time_ns() // 1_000_000

    assert after <= new_id().int >> 80 <= after + 1_000


def test_forked_process_makes_ids_of_its_own(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 2_000_000_000_000_000_000)
    new_id()
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, b"".join(new_id().bytes for _ in range(3)))
        os._exit(0)
    own = {new_id() for _ in range(3)}
    os.wait()
    forked = os.read(read, 48)

    assert own.isdisjoint({UUID(bytes=forked[at : at + 16]) for at in (0, 16, 32)})
