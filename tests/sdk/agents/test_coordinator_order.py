"""A coordinator's methods are called in the order of the events (protocol K-7)."""

import threading

import pytest
from openintent import on_complete, on_progress

from tests.sdk.agents.test_coordinators import Listing, Trip, portfolios

pytestmark = [pytest.mark.rule("K-7"), pytest.mark.database("sqlite")]


def test_progress_is_reported_after_the_events_before_it(coordinator, operator, name, spec):
    closed = threading.Event()

    class Waiting(Trip):
        @on_progress
        def progress(self, portfolio):
            self.told.put(portfolio.aggregate_status.completion_percentage)

        @on_complete
        def complete(self, intent):
            self.told.put(intent.title)
            closed.wait(timeout=30)

    waiting = coordinator(Waiting, spec)
    [portfolio] = portfolios(operator, name)
    hotel, flights = portfolio.intents
    assert waiting.take() == 0.0
    operator.move_to(flights, "completed")
    assert waiting.take() == "Book flights"
    operator.move_to(hotel, "completed")
    closed.set()

    assert [waiting.take(), waiting.take(), waiting.take().id] == ["Book hotel", 100.0, portfolio.id]


def test_completion_is_reported_after_the_events_before_it(coordinator, operator, name, spec):
    closed = threading.Event()

    class Waiting(Listing):
        @on_progress
        def progress(self, portfolio):
            if portfolio.aggregate_status.by_status.get("completed") == 1:
                closed.wait(timeout=30)

    waiting = coordinator(Waiting, spec)
    [portfolio] = portfolios(operator, name)
    hotel, flights = portfolio.intents
    operator.move_to(flights, "completed")
    operator.log_event(hotel.id, "comment", {"text": "done"})
    operator.move_to(hotel, "completed")
    closed.set()

    assert waiting.take() == "done"
    assert waiting.take().id == portfolio.id
