"""Work queue of an agent: order, delays and closing."""

import threading

from openintent.agents._work_queue import WorkQueue


def test_intents_are_taken_once_and_the_oldest_first():
    queue = WorkQueue()
    for each in ("a", "b", "a", "c", "b"):
        queue.add(each)

    assert [queue.take() for _ in range(3)] == ["a", "b", "c"]
    queue.close()
    assert queue.take() is None


def test_intent_added_while_in_progress_is_queued_again():
    queue = WorkQueue()
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    queue.add("b")

    assert queue.take() == "b"
    queue.done("a")
    assert queue.take() == "a"


def test_delayed_intent_is_due_earlier_when_added_again():
    queue = WorkQueue()
    queue.add("later", 1000)
    queue.add("soon", 0.01)

    assert queue.take() == "soon"
    queue.add("later")
    queue.add("later", 1000)
    assert queue.take() == "later"


def test_waiting_take_is_woken_by_add_and_close():
    queue, taken = WorkQueue(), []
    thread = threading.Thread(target=lambda: taken.extend([queue.take(), queue.take()]))
    thread.start()

    queue.add("a")
    queue.done("a", delay=1000)
    queue.close()

    thread.join(30)
    assert taken in (["a", None], [None, None])
