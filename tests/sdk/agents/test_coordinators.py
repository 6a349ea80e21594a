"""A coordinator makes its portfolio once, follows it, and is told when it is complete (protocol K-7)."""

import threading
from queue import SimpleQueue

import pytest
from openintent import (
    Agent,
    ConflictError,
    Coordinator,
    Done,
    InputValidationError,
    IntentSpec,
    PortfolioSpec,
    Worker,
    on_all_complete,
    on_assignment,
    on_complete,
    on_event,
    on_failure,
    on_progress,
)

from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.database("sqlite")]


class Trip(Coordinator):
    """Keeps what it is told."""

    def __init__(self, portfolio=None):
        self.portfolio = portfolio
        self.told = SimpleQueue()

    @on_all_complete
    def celebrate(self, portfolio):
        self.told.put(portfolio)

    def take(self):
        return self.told.get(timeout=30)


@pytest.fixture
def workers(start_agent, name):
    """`workers()`: those that the portfolio is for, at work."""
    return lambda: [start_agent(Worker(f"{name}-{what}", lambda intent: {"by": intent.title})) for what in ("flights", "hotels")]


def portfolios(operator, name):
    return operator.list_portfolios(created_by=name)


def test_portfolio_is_created_and_its_completion_reported(coordinator, workers, operator, name, spec):
    trip = coordinator(Trip, spec)
    [portfolio] = portfolios(operator, name)
    assert [(each.title, each.role, each.priority) for each in portfolio.intents] == [
        ("Book hotel", "member", 1),
        ("Book flights", "primary", 0),
    ]
    assert [each.status for each in portfolio.intents] == ["blocked", "draft"]
    assert portfolio.metadata["season"] == "spring"

    workers()

    told = trip.take()
    assert told.id == portfolio.id
    assert {each.title: each.state for each in told.intents} == {
        "Book hotel": {"by": "Book hotel"},
        "Book flights": {"by": "Book flights", "seats": 2},
    }
    until(lambda: operator.get_portfolio(portfolio.id).status == "completed", "completion")
    assert trip.told.empty()


def test_restarted_coordinator_finds_its_portfolio_and_reports_once(coordinator, workers, operator, name, spec):
    coordinator(Trip, spec).stop()
    trip = coordinator(Trip, spec)
    [portfolio] = portfolios(operator, name)
    assert len(operator.list_intents(created_by=name)) == 2

    workers()
    assert trip.take().id == portfolio.id
    until(lambda: operator.get_portfolio(portfolio.id).status == "completed", "completion")
    trip.stop()

    again = coordinator(Trip, spec)
    other = again.create(PortfolioSpec(f"Another of {name}", [IntentSpec("Alone")]))
    operator.move_to(other.intents[0], "completed")
    assert again.take().id == other.id


def test_completion_during_an_outage_is_reported_on_restart(coordinator, workers, operator, name, spec):
    coordinator(Trip, spec).stop()
    workers()
    [portfolio] = portfolios(operator, name)
    until(lambda: operator.get_portfolio(portfolio.id).aggregate_status.completion_percentage == 100, "all")

    assert coordinator(Trip).take().id == portfolio.id


def test_members_added_to_the_spec_are_created(coordinator, operator, name, spec):
    coordinator(Trip, spec).stop()
    more = PortfolioSpec(spec.name, [*spec.intents, IntentSpec("Pack", depends_on=["Book hotel"])])

    coordinator(Trip, more)

    [portfolio] = portfolios(operator, name)
    assert {each.title for each in portfolio.intents} == {"Book hotel", "Book flights", "Pack"}
    with pytest.raises(ConflictError) as refused:
        operator.update_portfolio_status(portfolio.id, "completed")
    assert refused.value.code == "completion_gate"


def test_a_threshold_is_not_reached_before_all_members_are_there(coordinator, start_agent, operator, name):
    start_agent(Worker(f"{name}-fast", lambda intent: None))
    spec = PortfolioSpec(
        f"Fast ones of {name}",
        [IntentSpec(f"Part {number}", assign=f"{name}-fast") for number in range(5)],
        governance_policy={"auto_complete_threshold": 100},
    )

    trip = coordinator(Trip, spec)

    assert len(trip.take().intents) == 5


def test_retry_policies_are_set_before_agents_are_assigned(coordinator, start_agent, operator, name):
    def fail(intent):
        raise RuntimeError

    start_agent(Worker(f"{name}-bad", fail))
    start_agent(Worker(f"{name}-good", lambda intent: {"by": "good"}))
    policy = {"max_attempts": 1, "fallback_agent_id": f"{name}-good"}
    spec = PortfolioSpec(f"Safe one of {name}", [IntentSpec("Part", assign=f"{name}-bad", retry_policy=policy)])

    assert coordinator(Trip, spec).take().intents[0].state == {"by": "good"}


def test_progress_failures_and_member_events_call_methods(coordinator, start_agent, operator, name, spec):
    class Watching(Trip):
        @on_progress
        def progress(self, portfolio):
            self.told.put(portfolio.aggregate_status.completion_percentage)

        @on_failure
        def failure(self, intent, event):
            self.told.put((intent.title, event.payload["error_type"]))

        @on_event("comment")
        async def comment(self, event):
            self.told.put(event.payload["text"])

        @on_complete
        def complete(self, intent):
            self.told.put(intent.title)

    watching = coordinator(Watching, spec)
    assert watching.take() == 0.0
    [portfolio] = portfolios(operator, name)
    hotel, flights = portfolio.intents

    operator.log_event(flights.id, "comment", {"text": "hello"})
    assert watching.take() == "hello"
    operator.record_failure(hotel.id, "no_room", will_retry=False)
    assert watching.take() == ("Book hotel", "no_room")
    operator.move_to(flights, "completed")
    assert [watching.take(), watching.take()] == ["Book flights", 50.0]
    operator.move_to(hotel, "completed")
    assert [watching.take(), watching.take(), watching.take().id] == ["Book hotel", 100.0, portfolio.id]


class Listing(Trip):
    """Keeps what others say of its members."""

    @on_event("comment")
    def hear(self, event):
        self.told.put(event.payload["text"])


def test_member_events_during_setup_are_handled(coordinator, start_agent, operator, name):
    start_agent(Worker(f"{name}-fast", lambda intent, work: work.client.log_event(intent.id, "comment", {"text": "Here I am"})))
    slow = [IntentSpec(f"Part {number}", assign=f"{name}-slow") for number in range(10)]

    listing = coordinator(Listing, PortfolioSpec(f"Many parts of {name}", [IntentSpec("First", assign=f"{name}-fast"), *slow]))

    assert listing.take() == "Here I am"


def test_member_events_of_an_outage_come_after_a_stored_position(coordinator, start_agent, operator, name, spec):
    first = coordinator(Listing, spec)
    [portfolio] = portfolios(operator, name)
    operator.log_event(portfolio.intents[0].id, "comment", {"text": "heard"})
    assert first.take() == "heard"
    position = first.position
    first.stop()
    operator.log_event(portfolio.intents[0].id, "comment", {"text": "missed"})

    again = start_agent(Agent(name)(type("Listing", (Listing,), {}))(spec), after=position)

    heard = iter(again.take, "missed")
    assert set(heard) <= {"heard"}  # It is behind as long as one of its streams is.


def test_abandoned_member_counts_if_the_policy_allows(coordinator, operator, name, spec):
    lenient = PortfolioSpec(spec.name, spec.intents, governance_policy={"allow_partial_completion": True})
    trip = coordinator(Trip, lenient)
    [portfolio] = portfolios(operator, name)
    hotel, flights = portfolio.intents
    operator.move_to(flights, "completed")
    operator.move_to(hotel, "abandoned")

    assert trip.take().id == portfolio.id


def test_a_coordinator_needs_no_methods(coordinator, workers, operator, name, spec):
    coordinator(Coordinator).create(spec)
    [portfolio] = portfolios(operator, name)
    workers()

    until(lambda: operator.get_portfolio(portfolio.id).status == "completed", "completion")


def test_failed_on_all_complete_is_called_again_on_restart(coordinator, workers, operator, name, spec, caplog):
    class Failing(Trip):
        @on_all_complete
        def celebrate(self, portfolio):
            super().celebrate(portfolio)
            raise RuntimeError("no champagne")

    failing = coordinator(Failing, spec)
    workers()
    portfolio = failing.take()
    until(lambda: "no champagne" in caplog.text, "the log")
    failing.stop()
    assert operator.get_portfolio(portfolio.id).status == "active"

    assert coordinator(Trip, spec).take().id == portfolio.id


def test_coordinator_may_be_assigned_its_own_members(coordinator, workers, operator, name, spec):
    class Planner(Trip):
        @on_assignment
        def plan(self, intent):
            made = self.create(spec)
            return Done({"portfolio": made.id}, complete=False)

        @on_all_complete
        def celebrate(self, portfolio):
            for each in self.client.list_intents(agent_id=self.agent_id, status="active"):
                self.client.set_status(each.id, each.version, "completed")

    coordinator(Planner)
    workers()
    intent = operator.create_assigned(name, "Travel")

    assert operator.wait_for_status(intent, "completed").state["portfolio"] == portfolios(operator, name)[0].id


@pytest.mark.parametrize(
    ("intents", "says"),
    [
        ([IntentSpec("a"), IntentSpec("a")], "duplicate title"),
        ([IntentSpec("a", depends_on=["b"])], "not in the portfolio"),
        ([IntentSpec("a", depends_on=["b"]), IntentSpec("b", depends_on=["a"])], "circular"),
    ],
)
def test_invalid_portfolio_spec_is_rejected(intents, says):
    with pytest.raises(InputValidationError, match=says):
        PortfolioSpec("Trip", intents)


@pytest.mark.parametrize(
    "fields",
    [{"title": ""}, {"assign": ["system"]}, {"depends_on": "b"}, {"retry_policy": {"max_attempts": 0}}, {"confidence": 101}],
)
def test_invalid_member_is_rejected_before_anything_is_created(fields):
    with pytest.raises(InputValidationError):
        IntentSpec(**{"title": "a", **fields})


@pytest.mark.rule("P-5")
@pytest.mark.case("coordination P18")
def test_a_portfolio_with_nothing_to_do_is_complete_at_once(coordinator, operator, name):
    trip = coordinator(Trip, PortfolioSpec(f"Nothing of {name}", []))

    told = trip.take()

    assert told.intents == []
    until(lambda: operator.get_portfolio(told.id).status == "completed", "completion")
    assert trip.told.empty()


@pytest.mark.rule("P-5")
@pytest.mark.case("coordination P18")
def test_on_all_complete_is_called_if_all_members_are_abandoned(coordinator, operator, name, spec):
    trip = coordinator(Trip, spec)
    [portfolio] = portfolios(operator, name)
    for each in portfolio.intents:
        operator.move_to(each, "abandoned")

    assert trip.take().id == portfolio.id


@pytest.mark.rule("K-12")
@pytest.mark.case("coordination O18")
@pytest.mark.parametrize("when", ["completed before", "abandoned before", "abandoned meanwhile", "completed meanwhile"])
def test_run_ends_with_its_portfolio_and_says_so(coordinator, workers, operator, name, spec, caplog, when):
    caplog.set_level("INFO", "openintent.agents")
    status, _, time = when.partition(" ")
    made = coordinator(Trip, spec)
    [portfolio] = portfolios(operator, name)
    if time == "meanwhile":
        made.stop()
    again = Agent(name)(type("Trip", (Trip,), {}))(spec)
    thread = threading.Thread(target=again.run, daemon=True)
    if time == "meanwhile":
        thread.start()
        until(lambda: again.position is not None, "its start")
    if status == "abandoned":
        operator.update_portfolio_status(portfolio.id, "abandoned")
    else:
        workers()
        until(lambda: operator.get_portfolio(portfolio.id).status == "completed", "completion")
    made.stop()
    if time == "before":
        thread.start()

    thread.join(30)

    assert not thread.is_alive()
    assert f"The portfolio {spec.name!r} of {name} is {status}" in caplog.text
    assert len(portfolios(operator, name)) == 1
    assert (made.told.qsize(), again.told.qsize()) == {"completed before": (1, 0), "completed meanwhile": (0, 1)}.get(
        when, (0, 0)
    )


@pytest.mark.rule("P-4")
@pytest.mark.case("coordination O2")
def test_concurrent_metadata_writes_do_not_erase_the_mark(coordinator, workers, operator, name, spec):
    """They read it, change it and write it back, without a version, all the time: with what the coordinator had there before."""
    trip = coordinator(Trip, spec)
    [portfolio] = portfolios(operator, name)
    stale = portfolio.metadata
    writes = 0

    workers()
    while trip.told.empty() and writes < 10_000:
        operator.update_portfolio(portfolio.id, metadata={**stale, "writes": writes})
        writes += 1

    assert trip.take().id == portfolio.id
    until(lambda: operator.get_portfolio(portfolio.id).status == "completed", "completion")
    operator.update_portfolio(portfolio.id, metadata={**stale, "writes": "the last"})
    metadata = operator.get_portfolio(portfolio.id).metadata
    assert (metadata["season"], metadata["writes"]) == ("spring", "the last")
    assert metadata["openintent.coordinator"]["told"] is True
