"""An agent whose process dies, or whose answers are lost, after each of its writes in turn (protocol K-7)."""

import pytest
from openintent import ConnectionFailedError, Done, OpenIntentClient, Worker
from openintent.agents import _runtime

from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.full, pytest.mark.database("sqlite")]

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
def fated(start_agent, monkeypatch):
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
            return start_agent(agent)

    return fated


class Appending:
    """A handler whose result shows how often it was written."""

    def __init__(self):
        self.calls = 0

    def __call__(self, intent):
        self.calls += 1
        return Done(patches=[{"op": "append", "path": "results", "value": self.calls}])


def assert_done_once(operator, intent):
    assert len(operator.wait_for_status(intent, "completed").state["results"]) == 1
    assert operator.event_types(intent).count("state_patched") == 1


@pytest.mark.parametrize("at", WRITES.values(), ids=WRITES)
def test_lost_response_does_not_run_the_handler_again(fated, operator, name, at):
    handler = Appending()
    fated(Fate(at, dies=False), Worker(name, handler, lease_seconds=1))
    intent = operator.create_assigned(name, state={"results": []})

    assert_done_once(operator, intent)

    assert handler.calls == 1


@pytest.mark.parametrize("at", WRITES.values(), ids=WRITES)
def test_next_process_resumes_after_a_crash(fated, start_agent, operator, name, at):
    handler, fate = Appending(), Fate(at, dies=True)
    dying = fated(fate, Worker(name, handler, lease_seconds=1, drain_seconds=0))
    intent = operator.create_assigned(name, state={"results": []})
    until(lambda: fate.is_dead, "death")
    dying.stop()

    start_agent(Worker(name, handler, lease_seconds=1))

    assert_done_once(operator, intent)
    assert handler.calls == 1  # Whoever dies within the handler has it called again: tests/system/test_agents.py.


@pytest.mark.parametrize("dies", [False, True], ids=["the answer is lost", "the process dies"])
def test_a_failure_is_recorded_once(fated, start_agent, operator, name, dies):
    calls = []

    def fail(intent):
        calls.append(intent.id)
        raise RuntimeError

    fate = Fate(3, dies=dies)
    first = fated(fate, Worker(name, fail, lease_seconds=1, drain_seconds=0))
    intent = operator.create_assigned(name)
    if dies:
        until(lambda: fate.is_dead, "death")
        first.stop()
        start_agent(Worker(name, fail, lease_seconds=1))
        operator.wait_for_status(operator.create_assigned(name), "blocked")
    else:
        operator.wait_for_status(intent, "blocked")

    assert len(operator.get_failures(intent.id)) == 1
    assert calls.count(intent.id) == 1
