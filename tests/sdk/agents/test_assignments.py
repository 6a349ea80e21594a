"""An agent is assigned an intent, does the work, and completes it (protocol K-7)."""

import asyncio
import threading

import pytest
from openintent import Agent, Assignment, BaseAgent, Done, OpenIntentClient, Worker, on_assignment

from tests.system.crowd import until

pytestmark = pytest.mark.rule("K-7")


def research(intent):
    return {"findings": f"All about {intent.title}"}


@pytest.mark.parametrize("inherits", [(), (BaseAgent,)], ids=["plain class", "BaseAgent"])
def test_result_is_written_and_completes_the_intent(begin, boss, name, inherits):
    class ResearchAgent(*inherits):
        @on_assignment
        def research(self, intent):
            return {"findings": f"{self.agent_id} knows all about {intent.title}"}

    begin(Agent(name)(ResearchAgent)())
    intent = boss.ask(name, "Otters", state={"since": 2024})

    done = boss.becomes(intent, "completed")

    assert done.state == {"since": 2024, "findings": f"{name} knows all about Otters"}
    assert boss.log(intent) == [
        "intent_created",
        "agent_assigned",
        "lease_acquired",
        "status_changed",
        "state_patched",
        "status_changed",
        "lease_released",
    ]
    assert {event.actor for event in boss.get_events(intent.id, after=2)} == {name}


def test_earlier_assignments_are_handled_oldest_first(begin, boss, name):
    titles = []
    intents = [boss.ask(name, title) for title in ("first", "second", "third")]

    begin(Worker(name, lambda intent: titles.append(intent.title)))

    for intent in intents:
        boss.becomes(intent, "completed")
    assert titles == ["first", "second", "third"]


def test_an_intent_is_active_while_it_is_worked_on(begin, boss, name):
    seen = []

    def look(intent, assignment):
        seen.append((intent.status, intent.version, assignment.client.get_intent(intent.id).version))

    begin(Worker(name, look))

    boss.becomes(boss.ask(name), "completed")
    assert seen == [("active", 2, 2)]


@pytest.mark.parametrize("result", [None, {}, Done()])
def test_empty_result_completes_without_a_patch(begin, boss, name, result):
    begin(Worker(name, lambda intent: result))
    intent = boss.ask(name, state={"a": 1})

    assert boss.becomes(intent, "completed").state == {"a": 1}
    assert "state_patched" not in boss.log(intent)


def test_result_keys_are_escaped_as_plain_keys(begin, boss, name):
    result = {"/a/b": 1, "c.d": 2, "~": None, "/~": 3}
    begin(Worker(name, lambda intent: result))

    assert boss.becomes(boss.ask(name), "completed").state == result


def test_a_result_may_be_patches_and_a_reason(begin, boss, name):
    patches = [{"op": "append", "path": "list", "value": 2}, {"op": "remove", "path": "old"}]
    begin(Worker(name, lambda intent: Done({"new": 1}, patches=patches, reason="as agreed")))
    intent = boss.ask(name, state={"list": [1], "old": 0})

    assert boss.becomes(intent, "completed").state == {"list": [1, 2], "new": 1}
    assert boss.get_events(intent.id, event_type="status_changed")[-1].payload["reason"] == "as agreed"


@pytest.mark.parametrize("state", [None, {"draft": "…"}])
def test_intent_left_open_is_handled_again_when_reassigned(begin, boss, name, state):
    calls = []

    def work(intent):
        calls.append(intent.id)
        return Done(state, complete=False)

    agent = begin(Worker(name, work))
    intent = boss.ask(name)
    boss.hears(intent, "lease_released")
    agent.stop()
    begin(Worker(name, work))
    other = boss.ask(name)  # Whatever there was to do with the first one, was done before this.
    boss.hears(other, "lease_released")

    assert boss.get_intent(intent.id).status == "active"
    assert boss.get_intent(intent.id).state == (state or {})
    assert calls == [intent.id, other.id]
    boss.unassign_agent(intent.id, name)
    boss.assign_agent(intent.id, name)
    boss.hears(intent, "lease_released", 2)
    assert calls[2:] == [intent.id]


@pytest.mark.parametrize("awaits", ["a client", "nothing"])
def test_handlers_may_be_coroutines(begin, boss, name, awaits):
    @Agent(name)
    class Async:
        @on_assignment
        async def work(self, intent, assignment):
            if awaits == "a client":
                await self.async_client.log_event(intent.id, "comment", {"by": "hand"})
                await assignment.async_client.update_state(intent.id, intent.version, {"hand": 1})
            await asyncio.sleep(0)
            return {"loop": 1}

    begin(Async())

    intent = boss.becomes(boss.ask(name), "completed")
    assert intent.state == ({"hand": 1, "loop": 1} if awaits == "a client" else {"loop": 1})


def test_concurrency_bounds_running_handlers(begin, boss, name):
    together = threading.Barrier(3)
    intents = [boss.ask(name) for _ in range(3)]

    begin(Worker(name, lambda intent: {"place": together.wait(30)}, concurrency=3))

    for intent in intents:
        boss.becomes(intent, "completed")


def test_default_concurrency_is_one(begin, boss, name):
    busy, seen = threading.Lock(), []

    def work(intent):
        with_me = busy.acquire(blocking=False)
        seen.append(with_me)
        intent_now = boss.get_intent(intent.id)
        busy.release()
        return {"title": intent_now.title}

    begin(Worker(name, work))
    intents = [boss.ask(name) for _ in range(5)]

    for intent in intents:
        boss.becomes(intent, "completed")
    assert seen == [True] * 5


def test_blocked_intent_is_handled_once_its_dependencies_complete(begin, boss, name):
    begin(Worker(name, research))
    first = boss.create_intent("First")
    second = boss.ask(name, "Second", depends_on=[first.id])
    third = boss.ask(name, "Third")
    boss.becomes(third, "completed")
    assert boss.get_intent(second.id).status == "blocked"

    boss.status(first, "completed")

    assert boss.becomes(second, "completed").state == {"findings": "All about Second"}


def test_only_the_chosen_statuses_are_handled(begin, boss, name):
    begin(Worker(name, research, statuses=["pending"]))
    draft, other = boss.ask(name, "Draft"), boss.ask(name, "Other")
    boss.status(other, "pending")
    boss.becomes(other, "completed")
    assert boss.log(draft) == ["intent_created", "agent_assigned"]

    boss.status(draft, "pending")

    boss.becomes(draft, "completed")


def test_two_agents_on_one_intent_work_in_turn(begin, boss, name):
    order = []

    def work(agent_id):
        def work(intent):
            order.append(agent_id)
            return Done({agent_id: intent.state}, complete=len(intent.state) == 1)

        return work

    begin(Worker(f"{name}-1", work(f"{name}-1")))
    begin(Worker(f"{name}-2", work(f"{name}-2")))
    intent = boss.create_intent("Together", assign=[f"{name}-1", f"{name}-2"])

    done = boss.becomes(intent, "completed")

    first, second = order
    assert done.state == {first: {}, second: {first: {}}}


@pytest.mark.parametrize("end", ["unassigned", "completed", "abandoned"])
def test_unassigned_handler_is_cancelled_and_writes_nothing(begin, boss, name, end):
    begun, seen = threading.Event(), []

    def work(intent, assignment):
        begun.set()
        seen.append(assignment.wait(30))
        return {"late": True}

    begin(Worker(name, work))
    intent = boss.ask(name)
    assert begun.wait(30)
    if end == "unassigned":
        boss.unassign_agent(intent.id, name)
    else:
        boss.status(intent, end)

    boss.hears(intent, "lease_released")
    until(lambda: seen, "the end")
    assert seen == [True]
    assert boss.get_intent(intent.id).state == {}


def test_handler_may_take_any_number_of_arguments(begin, boss, name):
    def work(intent, assignment, depth=3, *, wide=False):
        assert isinstance(assignment, Assignment)
        return {"depth": depth, "wide": wide, "attempt": assignment.attempt}

    begin(Worker(name, work))

    assert boss.becomes(boss.ask(name), "completed").state == {"depth": 3, "wide": False, "attempt": 1}


def test_client_acts_as_the_agent(begin, boss, name):
    agent = begin(Worker(name, research))

    intent = agent.client.create_intent("Mine")

    assert isinstance(agent.client, OpenIntentClient)
    assert intent.created_by == name


def test_concurrent_writes_are_retried(begin, boss, name):
    """The handler's patch builds on the version that is there by then."""

    def work(intent):
        boss.update_state(intent.id, intent.version, {"by others": 1})
        return {"mine": 2}

    begin(Worker(name, work))

    assert boss.becomes(boss.ask(name), "completed").state == {"by others": 1, "mine": 2}
