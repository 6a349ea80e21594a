"""Start and stop of agents: by signals, by `stop`, inside other programs (protocol K-7)."""

import asyncio
import logging
import os
import signal
import socket
import threading

import pytest
from openintent import (
    Agent,
    AuthenticationError,
    BaseAgent,
    Coordinator,
    InputValidationError,
    OpenIntentClient,
    PortfolioSpec,
    Worker,
    on_all_complete,
    on_assignment,
    on_event,
)

from tests.databases import migrated_database
from tests.processes import Process
from tests.servers import Server
from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.full, pytest.mark.database("sqlite")]


class Slow:
    """A handler that takes as long as the test says."""

    def __init__(self):
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, intent):
        self.begun.set()
        assert self.go.wait(30)
        return {"done": True}


def stop_in_background(agent):
    thread = threading.Thread(target=agent.stop)
    thread.start()
    return thread


def test_stop_lets_running_handlers_end_and_starts_no_others(start_agent, operator, name):
    slow = Slow()
    agent = start_agent(Worker(name, slow))
    first = operator.create_assigned(name)
    assert slow.begun.wait(30)
    second = operator.create_assigned(name)

    stopping = stop_in_background(agent)
    until(lambda: agent.is_stopping, "the request")
    slow.go.set()
    stopping.join(30)

    assert operator.get_intent(first.id).status == "completed"
    assert operator.get_intent(second.id).status == "draft"


def test_handler_that_outlasts_the_drain_loses_its_assignment(start_agent, operator, name):
    slow = Slow()
    agent = start_agent(Worker(name, slow, drain_seconds=0))
    intent = operator.create_assigned(name)
    assert slow.begun.wait(30)

    agent.stop()

    assert operator.get_leases(intent.id) == []
    start_agent(Worker(name, lambda intent: {"by": "the next"}))
    assert operator.wait_for_status(intent, "completed").state == {"by": "the next"}
    slow.go.set()


def test_a_coroutine_that_takes_too_long_is_cancelled(start_agent, operator, name):
    begun, ended = threading.Event(), []

    @Agent(name, drain_seconds=0)
    class Async:
        @on_assignment
        async def work(self, intent):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

    agent = start_agent(Async())
    intent = operator.create_assigned(name)
    assert begun.wait(30)

    agent.stop()

    assert ended == [True]
    assert operator.get_failures(intent.id) == []
    assert operator.get_leases(intent.id) == []


def test_events_are_handled_while_the_agent_drains(start_agent, operator, name):
    begun, seen = threading.Event(), []

    def work(intent, assignment):
        begun.set()
        seen.append(assignment.wait(30))

    agent = start_agent(Worker(name, work))
    intent = operator.create_assigned(name)
    assert begun.wait(30)
    stopping = stop_in_background(agent)
    until(lambda: agent.is_stopping, "the request")

    operator.move_to(intent, "abandoned")

    stopping.join(30)
    assert seen == [True]


def test_a_handler_may_stop_its_agent(operator, name):
    @Agent(name)
    class Last:
        @on_assignment
        def work(self, intent):
            self.stop()
            return {"last": True}

    intent = operator.create_assigned(name)
    agent = Last().start()

    agent.wait()

    assert operator.get_intent(intent.id).state == {"last": True}


def test_an_agent_may_be_started_again(operator, name):
    agent = Worker(name, lambda intent: {"done": True})
    for _ in range(2):
        with agent.start():
            operator.wait_for_status(operator.create_assigned(name), "completed")
        agent.stop()
    with agent:
        operator.wait_for_status(operator.create_assigned(name), "completed")
        with pytest.raises(RuntimeError, match="started already"):
            agent.start()
    with pytest.raises(RuntimeError, match="not started"):
        _ = agent.client


# --- programs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(server, name):
    """`python -m tests.sdk.agents.program`: an agent that runs until it is told to end."""
    process = Process("tests.sdk.agents.program", [name], {**os.environ, "OPENINTENT_URL": server.url}, reads_stdout=True)
    yield process
    process.kill()
    process.wait(30)
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_handler_end(program, operator, name, number):
    intent = operator.create_assigned(name, "short")
    assert program.stdout.readline() == "short\n"

    program.send_signal(number)

    assert program.wait(30) == 0
    assert operator.get_intent(intent.id).status == "completed"
    log = program.stderr.read()
    for said in ("is listening at", f"starts 'short' ({intent.id}), attempt 1", "finished 'short' after", "has stopped"):
        assert f"{name} {said}" in log


def test_second_signal_ends_the_process(program, operator, name):
    operator.create_assigned(name, "endless")
    assert program.stdout.readline() == "endless\n"

    program.send_signal(signal.SIGTERM)
    assert program.stdout.readline() == "is to stop\n"
    program.send_signal(signal.SIGTERM)

    assert program.wait(30) == -signal.SIGTERM


# --- inside other programs -----------------------------------------------------------------------------------------


async def test_in_an_event_loop_coroutines_share_it(operator, name):
    here, loops = asyncio.get_running_loop(), []

    @Agent(name)
    class Inside:
        @on_assignment
        async def work(self, intent):
            loops.append(asyncio.get_running_loop())
            await self.async_client.log_event(intent.id, "comment")
            self.stop()

    intent = await asyncio.to_thread(operator.create_assigned, name)

    await Inside.arun()

    assert loops == [here]
    assert (await asyncio.to_thread(operator.get_intent, intent.id)).status == "completed"


async def test_many_agents_share_an_event_loop_until_cancelled(operator, name):
    done = asyncio.Queue()

    @Agent()
    class Inside:
        @on_assignment
        async def work(self, intent):
            await done.put(self.agent_id)

    ids = {f"{name}-{number}" for number in range(12)}
    tasks = [asyncio.create_task(Inside.arun(agent_id=each)) for each in ids]
    for each in ids:
        await asyncio.to_thread(operator.create_assigned, each)
    assert {await asyncio.wait_for(done.get(), 30) for _ in ids} == ids

    for task in tasks:
        task.cancel()

    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in ends] == [asyncio.CancelledError] * len(ids)


# --- servers and keys ----------------------------------------------------------------------------------------------


def test_agent_waits_for_its_server_and_reconnects_after_a_restart(vendor, tmp_path, name):
    server = Server(migrated_database(vendor, tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as free:
        server.port = str(free.getsockname()[1])
    url = f"http://127.0.0.1:{server.port}"
    agent = Worker(name, lambda intent: {"done": True})
    starting = threading.Thread(target=agent.start, args=[url])
    starting.start()

    for _ in range(2):
        with server, OpenIntentClient(url, "dev-user-key", "boss") as operator:
            starting.join(30)
            intent = operator.create_intent("Something to do", assign=name)
            until(lambda operator=operator, intent=intent: operator.get_intent(intent.id).status == "completed", "completion")
            server.kill()
    agent.stop()


def test_an_agent_that_waits_for_its_server_can_be_stopped(name, caplog):
    agent = Worker(name, lambda intent: None)
    with caplog.at_level(logging.INFO, "openintent"):
        starting = threading.Thread(target=agent.start, args=["http://127.0.0.1:9"])
        starting.start()
        until(lambda: "connection lost" in caplog.text, "the first try")

    agent.stop()

    starting.join(30)
    assert not starting.is_alive()


def test_invalid_key_raises_on_start(name):
    with pytest.raises(AuthenticationError):
        Worker(name, lambda intent: None).start(api_key="wrong")


def test_a_key_that_is_revoked_ends_the_agent(start_agent, operator, name):
    key = operator.create_key("for an agent", role="agent", agent_id=name)
    agent = Worker(name, lambda intent: None).start(api_key=key.key)

    operator.revoke_key(key.id)

    with pytest.raises(AuthenticationError):
        agent.wait()


def test_read_only_key_is_reported_in_the_log(start_agent, operator, name, caplog):
    key = operator.create_key("for an agent", role="observer")
    start_agent(Worker(name, lambda intent: None), api_key=key.key)
    intent = operator.create_assigned(name)

    until(lambda: f"{name} failed to process {intent.id}" in caplog.text, "an error in the log")

    assert operator.event_types(intent) == ["intent_created", "agent_assigned"]


# --- what cannot be an agent ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": 0},
        {"lease_scope": ""},
        {"lease_seconds": 0},
        {"drain_seconds": -1},
        {"statuses": []},
        {"statuses": ["completed"]},
        {"statuses": "draft"},
    ],
)
def test_invalid_options_are_rejected(options):
    with pytest.raises(InputValidationError) as refused:
        Agent("ada", **options)
    assert refused.value.field in {*options, "scope", "duration_seconds"}


def test_an_id_that_cannot_be_sent_is_refused():
    with pytest.raises(InputValidationError):
        Agent("é")
    with pytest.raises(InputValidationError, match="needs an id"):
        Worker(None, lambda intent: None).start()


def test_a_class_without_handlers_or_with_two_for_assignments_is_refused(name):
    with pytest.raises(TypeError, match="nothing to do"):
        Agent(name)(type("Idle", (), {}))().start()
    with pytest.raises(TypeError, match="needs a Coordinator"):
        Agent(name)(type("Plain", (), {"told": on_all_complete(lambda self, portfolio: None)}))().start()
    two = {"a": on_assignment(lambda self, intent: None), "b": on_assignment(lambda self, intent: None)}
    with pytest.raises(TypeError, match="can have one"):
        Agent(name)(type("Two", (), two))().start()


def test_a_plain_class_stays_what_it_was(name):
    class Plain:
        """A plain class."""

        def __init__(self, model):
            self.model = model

        @on_event("comment")
        def listen(self, event):
            """Ignore the event."""

    made = Agent(name)(Plain)

    assert (made.__name__, made.__doc__, made.__module__) == ("Plain", "A plain class.", __name__)
    assert issubclass(made, Plain)
    assert issubclass(made, BaseAgent)
    assert (made("gpt").model, made("gpt").agent_id) == ("gpt", name)


def test_logging_configuration_is_left_to_the_program(name, caplog):
    with caplog.at_level(logging.INFO, "openintent.agents"), Worker(name, lambda intent: None).start():
        pass

    assert [record.message.partition(" ")[0] for record in caplog.records if record.name == "openintent.agents"] == [name, name]


@pytest.mark.rule("K-12")
@pytest.mark.case("coordination O18")
def test_run_goes_on_after_its_portfolio_if_it_handles_assignments(start_agent, operator, name):
    @Agent(name)
    class Planner(Coordinator):
        portfolio = PortfolioSpec(f"Nothing of {name}", [])

        @on_assignment
        def plan(self, intent):
            return {"done": True}

    planner = Planner()
    thread = threading.Thread(target=planner.run, daemon=True)
    thread.start()
    until(lambda: [each.status for each in operator.list_portfolios(created_by=name)] == ["completed"], "completion")

    operator.wait_for_status(operator.create_assigned(name), "completed")

    planner.stop()
    thread.join(30)
    assert not thread.is_alive()
