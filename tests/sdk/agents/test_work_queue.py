"""What an agent looks at next."""

import threading

from openintent.agents._work_queue import Agenda


def test_each_is_given_once_however_often_it_is_named_and_the_oldest_first():
    agenda = Agenda()
    for each in ("a", "b", "a", "c", "b"):
        agenda.add(each)

    assert [agenda.take() for _ in range(3)] == ["a", "b", "c"]
    agenda.close()
    assert agenda.take() is None


def test_what_is_named_while_it_is_looked_at_comes_again_after_that():
    agenda = Agenda()
    agenda.add("a")
    assert agenda.take() == "a"
    agenda.add("a")
    agenda.add("b")

    assert agenda.take() == "b"
    agenda.done("a")
    assert agenda.take() == "a"


def test_what_is_planned_for_later_waits_and_comes_sooner_when_it_is_named():
    agenda = Agenda()
    agenda.add("later", 1000)
    agenda.add("soon", 0.01)

    assert agenda.take() == "soon"
    agenda.add("later")
    agenda.add("later", 1000)
    assert agenda.take() == "later"


def test_who_waits_is_woken_by_what_is_named_and_by_the_end():
    agenda, taken = Agenda(), []
    thread = threading.Thread(target=lambda: taken.extend([agenda.take(), agenda.take()]))
    thread.start()

    agenda.add("a")
    agenda.done("a", again=1000)
    agenda.close()

    thread.join(30)
    assert taken in (["a", None], [None, None])
