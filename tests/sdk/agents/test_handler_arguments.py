"""Handlers get their arguments by the names of their parameters, in any order (protocol K-11)."""

import functools
import itertools
from queue import SimpleQueue

import pytest
from openintent import (
    Agent,
    BaseAgent,
    Coordinator,
    PortfolioSpec,
    Worker,
    on_all_complete,
    on_assignment,
    on_complete,
    on_event,
    on_failure,
    on_lease_available,
    on_progress,
    on_state_change,
)
from openintent.agents._logged_states import apply_patches

pytestmark = pytest.mark.rule("K-11")

DECORATORS = [
    on_assignment,
    on_complete,
    on_event("comment"),
    on_state_change,
    on_state_change(keys=["a"]),
    on_lease_available("draft"),
    on_failure,
    on_all_complete,
    on_progress,
]


@pytest.fixture
def heard():
    return SimpleQueue()


def take(heard):
    return heard.get(timeout=30)


@pytest.mark.parametrize("names", ["client, lease, scope, event, assignment, intent, agent", "work, intent"])
def test_arguments_of_an_assignment_go_by_name(start_agent, operator, name, heard, names):
    scope = {"heard": heard}
    exec(f"def work(self, {names}): heard.put(dict(locals()))", scope)
    agent = start_agent(Agent(name)(type("ByName", (BaseAgent,), {"work": on_assignment(scope["work"])}))())
    intent = operator.create_assigned(name)

    found = take(heard)

    assert found["intent"].id == intent.id
    if "work" in names:
        assert found["work"].intent.id == intent.id
        return
    assert (found["event"].event_type, found["event"].payload["agent_id"]) == ("agent_assigned", name)
    assert (found["lease"].agent_id, found["lease"].scope, found["scope"]) == (name, "assignment", "assignment")
    assert found["assignment"].client is found["client"]
    assert found["agent"] is agent


def test_arguments_of_a_function_go_by_name(start_agent, operator, name, heard):
    def work(prefix, agent, /, event, *, client, intent, suffix="!", missing=None):
        heard.put((prefix, agent, event.intent_id, client.get_intent(intent.id).status, suffix, missing))

    worker = start_agent(Worker(name, functools.partial(work, "a")))
    intent = operator.create_assigned(name)

    assert take(heard) == ("a", worker, intent.id, "active", "!", None)


def test_function_without_names_gets_the_intent(start_agent, operator, name, heard):
    start_agent(Worker(name, lambda *anything, **more: heard.put((anything, more))))
    intent = operator.create_assigned(name)
    [found], more = take(heard)
    assert (found.id, more) == (intent.id, {})


def test_decorated_handler_has_the_names_of_the_function_beneath(start_agent, operator, name, heard):
    def traced(function):
        @functools.wraps(function)
        def call(*arguments, **names):
            return function(*arguments, **names)

        return call

    start_agent(Worker(name, traced(lambda client, intent: heard.put((client.agent_id, intent.title)))))
    operator.create_assigned(name, "Traced")

    assert take(heard) == (name, "Traced")


@pytest.mark.parametrize("swapped", [False, True])
def test_arguments_of_events_go_by_name(start_agent, operator, name, heard, swapped):
    class Listener(BaseAgent):
        if swapped:

            @on_event("comment")
            def listen(self, intent, event):
                heard.put((intent.title, event.event_type))
        else:

            @on_event("comment")
            def listen(self, event, intent):
                heard.put((intent.title, event.event_type))

        @on_failure
        @staticmethod
        def fail(client, event, agent):
            heard.put((client.agent_id, event.payload["error_type"], type(agent)))

    start_agent(Agent(name)(Listener)())
    intent = operator.create_assigned(name, "Listen")
    operator.log_event(intent.id, "comment")
    assert take(heard) == ("Listen", "comment")
    operator.record_failure(intent.id, "nonsense", will_retry=False)
    assert take(heard) == (name, "nonsense", Listener)


def test_states_before_and_after_a_change_are_those_of_its_event(start_agent, operator, name, heard):
    class Listener(BaseAgent):
        @on_state_change(keys=["n", "list"])
        def changed(self, new, old):
            heard.put((old, new))

    start_agent(Agent(name)(Listener)())
    intent = operator.create_assigned(name, state={"n": 0, "list": [1], "/odd": {"~": 1}})
    changes = [
        [{"op": "set", "path": "n", "value": 1}],
        [{"op": "append", "path": "list", "value": {"a": []}}, {"op": "set", "path": "/list/0", "value": 2}],
        [{"op": "append", "path": "/list/1/a", "value": 3}, {"op": "set", "path": "/list/-", "value": 4}],
        [{"op": "set", "path": "/~1odd/~0", "value": 2}, {"op": "remove", "path": "/list/0"}],
        [{"op": "append", "path": "/new/deep", "value": 1}, {"op": "remove", "path": "n"}],
    ]
    states = [intent.state]
    for patches in changes:
        intent = operator.update_state(intent.id, intent.version, patches=patches)
        states.append(intent.state)

    assert [take(heard) for _ in changes] == list(itertools.pairwise(states))


def test_patches_leave_the_earlier_state_alone():
    before = {"a": {"b": [1]}}
    assert apply_patches(before, [{"op": "append", "path": "/a/b", "value": 2}]) == {"a": {"b": [1, 2]}}
    assert before == {"a": {"b": [1]}}


def test_ended_lease_and_the_awaited_scope_are_arguments(start_agent, operator, name, heard):
    class Listener(BaseAgent):
        @on_lease_available("content.draft")
        def free(self, lease, scope):
            heard.put((lease.id, lease.status, lease.scope, scope))

    start_agent(Agent(name)(Listener)())
    intent = operator.create_assigned(name)
    lease = operator.acquire_lease(intent.id, "content")
    operator.release_lease(intent.id, lease.id)

    assert take(heard) == (lease.id, "released", "content", "content.draft")


def test_arguments_of_a_portfolio_go_by_name(start_agent, name, heard):
    class Done(Coordinator):
        portfolio = PortfolioSpec(f"Nothing for {name}", [])

        @on_all_complete
        def done(self, client, portfolio, agent):
            heard.put((client.agent_id, portfolio.name, type(agent)))

    start_agent(Agent(name)(Done)())

    assert take(heard) == (name, f"Nothing for {name}", Done)


@pytest.mark.parametrize("decorator", DECORATORS)
def test_unknown_parameter_is_an_error_when_the_class_is_made(decorator):
    def method(self, intention):
        pass

    def static(intention):
        pass

    registered = decorator(method)
    for base in ((BaseAgent,), (Coordinator,)):
        with pytest.raises(TypeError, match=r"Odd.method has a parameter 'intention'.* can have: (intent|event|portfolio), "):
            type("Odd", base, {"method": registered})
    with pytest.raises(TypeError, match=r"Odd\.method"):
        Agent("odd")(type("Odd", (), {"method": registered}))
    with pytest.raises(TypeError, match=r"Odd\.method"):
        type("Odd", (BaseAgent,), {"method": decorator(staticmethod(static))})


def test_parameters_with_a_default_may_have_any_name():
    @Agent("fine")
    class Fine:
        @on_assignment
        def work(self, intent, retries=3, *rest, dry_run=False, **more):
            pass


@pytest.mark.parametrize("handler", [lambda task: None, lambda intent, evnt: None, lambda old: None])
def test_unknown_parameter_of_a_workers_function_is_an_error(handler):
    with pytest.raises(TypeError, match="can have: intent, assignment, event, lease, scope, agent, client"):
        Worker("odd", handler)
