"""An agent whose process dies, or whose answers are lost, after each of its writes in turn (protocol K-7)."""

import pytest
from openintent import ConnectionFailedError, Done, OpenIntentClient, Worker
from openintent.agents import _runtime

from tests.system.crowd import until

pytestmark = pytest.mark.rule("K-7")

WRITES = {"the lease": 1, "active": 2, "the result": 3, "completed": 4}
"""Of an assignment, in their order."""


class Fate:
    """Loses the answer to one write; and with it, if it is to be so, the whole connection."""

    def __init__(self, at, *, dies):
        self.left, self.dies, self.is_dead = at, dies, False

    def look(self):
        if self.is_dead:
            raise ConnectionFailedError("The process is dead.", sent=False)

    def wrote(self):
        self.left -= 1
        if self.left == 0:
            self.is_dead = self.dies
            raise ConnectionFailedError("The answer was lost.")


@pytest.fixture
def fated(begin, monkeypatch):
    """`fated(fate, agent)`: an agent of whose writes one comes to that."""

    def fated(fate, agent):
        class Client(OpenIntentClient):
            def send(self, call):
                fate.look()
                answer = super().send(call)
                if call.method == "POST":
                    fate.wrote()
                return answer

        with monkeypatch.context() as patched:
            patched.setattr(_runtime, "OpenIntentClient", Client)
            return begin(agent)

    return fated


class Appending:
    """A handler whose result shows how often it was written."""

    def __init__(self):
        self.calls = 0

    def __call__(self, intent):
        self.calls += 1
        return Done(patches=[{"op": "append", "path": "results", "value": self.calls}])


def assert_done_once(boss, intent):
    assert len(boss.becomes(intent, "completed").state["results"]) == 1
    assert boss.log(intent).count("state_patched") == 1


@pytest.mark.parametrize("at", WRITES.values(), ids=WRITES)
def test_lost_response_does_not_run_the_handler_again(fated, boss, name, at):
    handler = Appending()
    fated(Fate(at, dies=False), Worker(name, handler, lease_seconds=1))
    intent = boss.ask(name, state={"results": []})

    assert_done_once(boss, intent)

    assert handler.calls == 1


@pytest.mark.parametrize("at", WRITES.values(), ids=WRITES)
def test_next_process_resumes_after_a_crash(fated, begin, boss, name, at):
    handler, fate = Appending(), Fate(at, dies=True)
    dying = fated(fate, Worker(name, handler, lease_seconds=1, drain_seconds=0))
    intent = boss.ask(name, state={"results": []})
    until(lambda: fate.is_dead, "death")
    dying.stop()

    begin(Worker(name, handler, lease_seconds=1))

    assert_done_once(boss, intent)
    assert handler.calls == 1  # Whoever dies within the handler has it called again: tests/system/test_agents.py.


@pytest.mark.parametrize("dies", [False, True], ids=["the answer is lost", "the process dies"])
def test_a_failure_is_recorded_once(fated, begin, boss, name, dies):
    calls = []

    def fail(intent):
        calls.append(intent.id)
        raise RuntimeError

    fate = Fate(3, dies=dies)
    first = fated(fate, Worker(name, fail, lease_seconds=1, drain_seconds=0))
    intent = boss.ask(name)
    if dies:
        until(lambda: fate.is_dead, "death")
        first.stop()
        begin(Worker(name, fail, lease_seconds=1))
        boss.becomes(boss.ask(name), "blocked")
    else:
        boss.becomes(intent, "blocked")

    assert len(boss.get_failures(intent.id)) == 1
    assert calls.count(intent.id) == 1
