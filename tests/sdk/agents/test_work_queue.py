"""What an agent looks at next."""

import threading

from openintent.agents._work_queue import WorkQueue


def test_each_is_given_once_however_often_it_is_named_and_the_oldest_first():
    queue = WorkQueue()
    for each in ("a", "b", "a", "c", "b"):
        queue.add(each)

    assert [queue.take() for _ in range(3)] == ["a", "b", "c"]
    queue.close()
    assert queue.take() is None


def test_what_is_named_while_it_is_looked_at_comes_again_after_that():
    queue = WorkQueue()
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    queue.add("b")

    assert queue.take() == "b"
    queue.done("a")
    assert queue.take() == "a"


def test_what_is_planned_for_later_waits_and_comes_sooner_when_it_is_named():
    queue = WorkQueue()
    queue.add("later", 1000)
    queue.add("soon", 0.01)

    assert queue.take() == "soon"
    queue.add("later")
    queue.add("later", 1000)
    assert queue.take() == "later"


def test_who_waits_is_woken_by_what_is_named_and_by_the_end():
    queue, taken = WorkQueue(), []
    thread = threading.Thread(target=lambda: taken.extend([queue.take(), queue.take()]))
    thread.start()

    queue.add("a")
    queue.done("a", delay=1000)
    queue.close()

    thread.join(30)
    assert taken in (["a", None], [None, None])
