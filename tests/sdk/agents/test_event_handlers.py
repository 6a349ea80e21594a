"""Methods that are called after events, in their order, and once (protocol K-7)."""

import asyncio
import threading
from queue import SimpleQueue

import pytest
from openintent import (
    Agent,
    BaseAgent,
    InputValidationError,
    on_assignment,
    on_complete,
    on_event,
    on_failure,
    on_lease_available,
    on_state_change,
)

from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.database("sqlite")]


@pytest.fixture
def heard():
    return SimpleQueue()


@pytest.fixture
def listener(start_agent, name, heard):
    """`listener(on_event("comment"))`: an agent with one method, which keeps the intent and event that it was called with."""

    def listener(decorator, method=None, **arguments):
        def keep(self, intent, event):
            heard.put((intent, event))

        return start_agent(Agent(name)(type("Listener", (BaseAgent,), {"method": decorator(method or keep)}))(), **arguments)

    return listener


def take(heard):
    return heard.get(timeout=30)


def test_events_of_assigned_intents_are_handled_in_order(listener, operator, name, heard):
    listener(on_event("comment", "note"))
    intent = operator.create_assigned(name)
    other = operator.create_intent("Not assigned")
    operator.log_event(other.id, "comment")
    for number in range(20):
        operator.log_event(intent.id, "comment" if number % 2 else "note", {"number": number})
        operator.log_event(intent.id, "silence")

    events = [take(heard)[1] for _ in range(20)]

    assert [event.payload["number"] for event in events] == [*range(20)]
    assert {event.intent_id for event in events} == {intent.id}


def test_a_method_takes_the_event_alone_or_with_its_intent(listener, operator, name, heard):
    listener(on_event("comment"), lambda self, event: heard.put(event.payload))
    intent = operator.create_assigned(name)
    operator.log_event(intent.id, "comment", {"a": 1})
    assert take(heard) == {"a": 1}


@pytest.mark.parametrize("own", [False, True])
def test_own_events_are_handled_only_if_requested(listener, operator, name, heard, own):
    agent = listener(on_event("comment", own=own))
    intent = operator.create_assigned(name)
    agent.client.log_event(intent.id, "comment", {"by": "itself"})
    operator.log_event(intent.id, "comment", {"by": "another"})

    said = [take(heard)[1].payload["by"]]
    if own:
        said.append(take(heard)[1].payload["by"])

    assert said == (["itself", "another"] if own else ["another"])


@pytest.mark.parametrize(
    ("decorator", "expected"),
    [(on_state_change, ["a", "b", "/b/c", "d"]), (on_state_change(keys=["b", "c/d"]), ["b", "/b/c", "/c~1d"])],
    ids=["any key", "some keys"],
)
def test_state_changes_by_others_call_on_state_change(listener, operator, name, heard, decorator, expected):
    agent = listener(decorator)
    intent = operator.create_assigned(name, state={"b": {}})
    agent.client.update_state(intent.id, 1, {"b": {"by": "itself"}})
    paths = ["a", "b", "/b/c", "d"] if decorator is on_state_change else ["a", "b", "/b/c", "/c~1d"]
    for version, path in enumerate(paths, start=2):
        value = {} if path == "b" else 1
        operator.update_state(intent.id, version, patches=[{"op": "set", "path": path, "value": value}])

    calls = [take(heard) for _ in expected]

    assert [event.payload["patches"][0]["path"] for _, event in calls] == expected
    assert {found.id for found, _ in calls} == {intent.id}


@pytest.mark.parametrize("whose", ["assigned", "made"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_on_complete_covers_assigned_and_created_intents(listener, server, operator, name, heard, whose, when):
    def make():
        with type(operator)(server.url, "dev-user-key", name) as itself:
            return operator.create_assigned(name) if whose == "assigned" else itself.create_intent("Mine")

    before = make() if when == "before" else None
    listener(on_complete)
    intent = before or make()
    operator.move_to(operator.create_intent("Another's"), "completed")
    operator.move_to(intent, "completed")

    found, event = take(heard)

    assert (found.id, found.status, event.payload["to"]) == (intent.id, "completed", "completed")


def test_on_complete_is_called_once_for_a_self_assigned_intent(listener, operator, name, heard):
    agent = listener(on_complete)
    for title in ("first", "second"):
        intent = agent.client.create_intent(title, assign=name)
        operator.move_to(intent, "completed")

    assert [take(heard)[0].title for _ in range(2)] == ["first", "second"]


def test_lease_end_calls_on_lease_available(listener, operator, name, heard):
    listener(on_lease_available("content.draft"))
    intent = operator.create_assigned(name)
    ends = {scope: operator.acquire_lease(intent.id, scope) for scope in ("contents", "content.title", "content.draft.intro")}
    for lease in ends.values():
        operator.release_lease(intent.id, lease.id)
    operator.acquire_lease(intent.id, "content", 1)

    scopes = [take(heard)[1].payload["scope"] for _ in range(2)]

    assert scopes == ["content.draft.intro", "content"]


def test_final_failure_calls_on_failure(listener, operator, name, heard):
    listener(on_failure)
    intent = operator.create_assigned(name)
    operator.record_failure(intent.id, "timeout", will_retry=True)
    operator.record_failure(intent.id, "nonsense", will_retry=False)

    _, event = take(heard)

    assert (event.payload["error_type"], event.actor) == ("nonsense", "boss")


def test_handler_exception_is_logged_and_the_next_event_handled(listener, operator, name, heard, caplog):
    def fail_first(self, event):
        heard.put(event.payload["n"])
        if event.payload["n"] == 1:
            raise RuntimeError("out of order")

    listener(on_event("comment"), fail_first)
    intent = operator.create_assigned(name)
    for n in (1, 2):
        operator.log_event(intent.id, "comment", {"n": n})

    assert [take(heard), take(heard)] == [1, 2]
    assert "RuntimeError: out of order" in caplog.text


def test_methods_may_be_coroutines(listener, operator, name, heard):
    async def listen(self, event):
        await asyncio.sleep(0)
        heard.put((await self.async_client.get_intent(event.intent_id)).id)

    listener(on_event("comment"), listen)
    intent = operator.create_assigned(name)
    operator.log_event(intent.id, "comment")

    assert take(heard) == intent.id


def test_events_start_from_now_or_from_a_stored_position(listener, operator, name, heard):
    agent = listener(on_event("comment"))
    intent = operator.create_assigned(name)
    operator.log_event(intent.id, "comment", {"n": 1})
    take(heard)
    agent.stop()
    for n in (2, 3):
        operator.log_event(intent.id, "comment", {"n": n})
    position = operator.get_events(intent.id, event_type="comment")[0].position

    agent.start(after=position)
    assert [take(heard)[1].payload["n"] for _ in range(2)] == [2, 3]
    until(lambda: agent.position > position, "its position")
    agent.stop()
    assert agent.position is None
    agent.start()
    operator.log_event(intent.id, "comment", {"n": 4})

    assert take(heard)[1].payload["n"] == 4


def test_assignments_are_handled_while_another_method_takes_long(start_agent, operator, name):
    blocked = threading.Event()

    @Agent(name)
    class Both:
        @on_event("comment")
        def listen(self, event):
            blocked.wait(30)

        @on_assignment
        def work(self, intent):
            return {"done": True}

    start_agent(Both())
    intent = operator.create_assigned(name)
    operator.log_event(intent.id, "comment")

    operator.wait_for_status(intent, "completed")
    blocked.set()


def test_method_may_have_several_decorators(start_agent, operator, name, heard):
    @Agent(name)
    class Both:
        @on_event("comment")
        @on_event("note", own=True)
        def listen(self, event):
            heard.put(event.event_type)

    agent = start_agent(Both())
    intent = operator.create_assigned(name)
    for kind in ("comment", "note"):
        agent.client.log_event(intent.id, kind)
        operator.log_event(intent.id, kind)

    assert [take(heard) for _ in range(3)] == ["comment", "note", "note"]


@pytest.mark.parametrize(
    "declare",
    [on_event, lambda: on_event("Not a type"), lambda: on_lease_available("a..b"), lambda: on_state_change(keys="budget")],
)
def test_invalid_event_handlers_are_rejected(declare):
    with pytest.raises(InputValidationError):
        declare()


def test_decorator_without_parentheses_raises_type_error():
    with pytest.raises((TypeError, InputValidationError)):

        @on_event
        def listen(self, event): ...
