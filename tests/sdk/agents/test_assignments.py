"""An agent is assigned an intent, does the work, and completes it (protocol K-7)."""

import asyncio
import threading

import pytest
from openintent import Agent, Assignment, BaseAgent, Done, OpenIntentClient, Worker, on_assignment

from tests.system.concurrent_clients import until

pytestmark = pytest.mark.rule("K-7")


def research(intent):
    return {"findings": f"All about {intent.title}"}


@pytest.mark.parametrize("inherits", [(), (BaseAgent,)], ids=["plain class", "BaseAgent"])
def test_result_is_written_and_completes_the_intent(start_agent, operator, name, inherits):
    class ResearchAgent(*inherits):
        @on_assignment
        def research(self, intent):
            return {"findings": f"{self.agent_id} knows all about {intent.title}"}

    start_agent(Agent(name)(ResearchAgent)())
    intent = operator.create_assigned(name, "Otters", state={"since": 2024})

    done = operator.wait_for_status(intent, "completed")

    assert done.state == {"since": 2024, "findings": f"{name} knows all about Otters"}
    assert operator.event_types(intent) == [
        "intent_created",
        "agent_assigned",
        "lease_acquired",
        "status_changed",
        "state_patched",
        "status_changed",
        "lease_released",
    ]
    assert {event.actor for event in operator.get_events(intent.id, after=2)} == {name}


def test_earlier_assignments_are_handled_oldest_first(start_agent, operator, name):
    titles = []
    intents = [operator.create_assigned(name, title) for title in ("first", "second", "third")]

    start_agent(Worker(name, lambda intent: titles.append(intent.title)))

    for intent in intents:
        operator.wait_for_status(intent, "completed")
    assert titles == ["first", "second", "third"]


def test_an_intent_is_active_while_it_is_worked_on(start_agent, operator, name):
    seen = []

    def look(intent, assignment):
        seen.append((intent.status, intent.version, assignment.client.get_intent(intent.id).version))

    start_agent(Worker(name, look))

    operator.wait_for_status(operator.create_assigned(name), "completed")
    assert seen == [("active", 2, 2)]


@pytest.mark.parametrize("result", [None, {}, Done()])
def test_empty_result_completes_without_a_patch(start_agent, operator, name, result):
    start_agent(Worker(name, lambda intent: result))
    intent = operator.create_assigned(name, state={"a": 1})

    assert operator.wait_for_status(intent, "completed").state == {"a": 1}
    assert "state_patched" not in operator.event_types(intent)


def test_result_keys_are_escaped_as_plain_keys(start_agent, operator, name):
    result = {"/a/b": 1, "c.d": 2, "~": None, "/~": 3}
    start_agent(Worker(name, lambda intent: result))

    assert operator.wait_for_status(operator.create_assigned(name), "completed").state == result


def test_a_result_may_be_patches_and_a_reason(start_agent, operator, name):
    patches = [{"op": "append", "path": "list", "value": 2}, {"op": "remove", "path": "old"}]
    start_agent(Worker(name, lambda intent: Done({"new": 1}, patches=patches, reason="as agreed")))
    intent = operator.create_assigned(name, state={"list": [1], "old": 0})

    assert operator.wait_for_status(intent, "completed").state == {"list": [1, 2], "new": 1}
    assert operator.get_events(intent.id, event_type="status_changed")[-1].payload["reason"] == "as agreed"


@pytest.mark.parametrize("state", [None, {"draft": "…"}])
def test_intent_left_open_is_handled_again_when_reassigned(start_agent, operator, name, state):
    calls = []

    def work(intent):
        calls.append(intent.id)
        return Done(state, complete=False)

    agent = start_agent(Worker(name, work))
    intent = operator.create_assigned(name)
    operator.wait_for_events(intent, "lease_released")
    agent.stop()
    start_agent(Worker(name, work))
    other = operator.create_assigned(name)  # Whatever there was to do with the first one, was done before this.
    operator.wait_for_events(other, "lease_released")

    assert operator.get_intent(intent.id).status == "active"
    assert operator.get_intent(intent.id).state == (state or {})
    assert calls == [intent.id, other.id]
    operator.unassign_agent(intent.id, name)
    operator.assign_agent(intent.id, name)
    operator.wait_for_events(intent, "lease_released", 2)
    assert calls[2:] == [intent.id]


@pytest.mark.parametrize("awaits", ["a client", "nothing"])
def test_handlers_may_be_coroutines(start_agent, operator, name, awaits):
    @Agent(name)
    class Async:
        @on_assignment
        async def work(self, intent, assignment):
            if awaits == "a client":
                await self.async_client.log_event(intent.id, "comment", {"by": "hand"})
                await assignment.async_client.update_state(intent.id, intent.version, {"hand": 1})
            await asyncio.sleep(0)
            return {"loop": 1}

    start_agent(Async())

    intent = operator.wait_for_status(operator.create_assigned(name), "completed")
    assert intent.state == ({"hand": 1, "loop": 1} if awaits == "a client" else {"loop": 1})


def test_concurrency_bounds_running_handlers(start_agent, operator, name):
    together = threading.Barrier(3)
    intents = [operator.create_assigned(name) for _ in range(3)]

    start_agent(Worker(name, lambda intent: {"place": together.wait(30)}, concurrency=3))

    for intent in intents:
        operator.wait_for_status(intent, "completed")


def test_default_concurrency_is_one(start_agent, operator, name):
    busy, seen = threading.Lock(), []

    def work(intent):
        with_me = busy.acquire(blocking=False)
        seen.append(with_me)
        intent_now = operator.get_intent(intent.id)
        busy.release()
        return {"title": intent_now.title}

    start_agent(Worker(name, work))
    intents = [operator.create_assigned(name) for _ in range(5)]

    for intent in intents:
        operator.wait_for_status(intent, "completed")
    assert seen == [True] * 5


def test_blocked_intent_is_handled_once_its_dependencies_complete(start_agent, operator, name):
    start_agent(Worker(name, research))
    first = operator.create_intent("First")
    second = operator.create_assigned(name, "Second", depends_on=[first.id])
    third = operator.create_assigned(name, "Third")
    operator.wait_for_status(third, "completed")
    assert operator.get_intent(second.id).status == "blocked"

    operator.move_to(first, "completed")

    assert operator.wait_for_status(second, "completed").state == {"findings": "All about Second"}


def test_only_the_chosen_statuses_are_handled(start_agent, operator, name):
    start_agent(Worker(name, research, statuses=["pending"]))
    draft, other = operator.create_assigned(name, "Draft"), operator.create_assigned(name, "Other")
    operator.move_to(other, "pending")
    operator.wait_for_status(other, "completed")
    assert operator.event_types(draft) == ["intent_created", "agent_assigned"]

    operator.move_to(draft, "pending")

    operator.wait_for_status(draft, "completed")


def test_two_agents_on_one_intent_work_in_turn(start_agent, operator, name):
    order = []

    def work(agent_id):
        def work(intent):
            order.append(agent_id)
            return Done({agent_id: intent.state}, complete=len(intent.state) == 1)

        return work

    start_agent(Worker(f"{name}-1", work(f"{name}-1")))
    start_agent(Worker(f"{name}-2", work(f"{name}-2")))
    intent = operator.create_intent("Together", assign=[f"{name}-1", f"{name}-2"])

    done = operator.wait_for_status(intent, "completed")

    first, second = order
    assert done.state == {first: {}, second: {first: {}}}


@pytest.mark.parametrize("end", ["unassigned", "completed", "abandoned"])
def test_unassigned_handler_is_cancelled_and_writes_nothing(start_agent, operator, name, end):
    begun, seen = threading.Event(), []

    def work(intent, assignment):
        begun.set()
        seen.append(assignment.wait(30))
        return {"late": True}

    start_agent(Worker(name, work))
    intent = operator.create_assigned(name)
    assert begun.wait(30)
    if end == "unassigned":
        operator.unassign_agent(intent.id, name)
    else:
        operator.move_to(intent, end)

    operator.wait_for_events(intent, "lease_released")
    until(lambda: seen, "the end")
    assert seen == [True]
    assert operator.get_intent(intent.id).state == {}


def test_handler_may_take_any_number_of_arguments(start_agent, operator, name):
    def work(intent, assignment, depth=3, *, wide=False):
        assert isinstance(assignment, Assignment)
        return {"depth": depth, "wide": wide, "attempt": assignment.attempt}

    start_agent(Worker(name, work))

    assert operator.wait_for_status(operator.create_assigned(name), "completed").state == {
        "depth": 3,
        "wide": False,
        "attempt": 1,
    }


def test_client_acts_as_the_agent(start_agent, operator, name):
    agent = start_agent(Worker(name, research))

    intent = agent.client.create_intent("Mine")

    assert isinstance(agent.client, OpenIntentClient)
    assert intent.created_by == name


def test_concurrent_writes_are_retried(start_agent, operator, name):
    """The handler's patch builds on the version that is there by then."""

    def work(intent):
        operator.update_state(intent.id, intent.version, {"by others": 1})
        return {"mine": 2}

    start_agent(Worker(name, work))

    assert operator.wait_for_status(operator.create_assigned(name), "completed").state == {"by others": 1, "mine": 2}
