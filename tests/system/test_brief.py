"""Time of a brief of 10,000 events (rule I-8); `-rP` prints it."""

import statistics
from time import perf_counter, process_time

import pytest

from tests.conftest import fresh

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite", "postgresql")]

EVENTS, ROUNDS = 10_000, 20


def fill(api, ada, intent):
    """Log a mix: patches of ten keys, questions with their decisions, leases, failures and comments."""
    path = f"/intents/{intent['id']}"
    version = intent["version"]
    for number in range(40):
        version = ada.post(f"{path}/state", {"state": {f"key{number % 10}": "x" * 100}}, version=version).json()["version"]
        ada.post(f"{path}/arbitrate", {"reason": f"May I do {number}?", "options": ["yes", "no"]})
        if number % 2:
            api.post(f"{path}/decisions", {"decision": "yes", "arbitration_id": pending(ada, path), "rationale": "Cheap"})
        ada.post(f"{path}/leases", {"scope": f"key{number % 10}", "duration_seconds": 600 + number})
        ada.post(f"{path}/failures", {"error_type": "timeout"})
    while (left := EVENTS - fresh(api, intent)["last_sequence"]) > 0:
        comments = [{"event_type": "comment", "payload": {"text": "y" * 200}}] * min(left, 1_000)
        ada.post(f"{path}/events/batch", {"events": comments})


def pending(ada, path):
    found = ada.get(f"{path}/arbitrations", status="pending").json()["arbitrations"]
    return found[0]["id"]


@pytest.mark.rule("I-8")
def test_brief_of_ten_thousand_events(api, agent, make_intent, django_assert_max_num_queries):
    intent = make_intent(title="Long work")
    fill(api, agent("ada"), intent)
    times, busy = [], []

    for _ in range(ROUNDS):
        began, worked = perf_counter(), process_time()
        with django_assert_max_num_queries(60):
            found = api.get(f"/intents/{intent['id']}/brief").json()
        times.append((perf_counter() - began) * 1_000)
        busy.append((process_time() - worked) * 1_000)

    assert found["sequence"] == EVENTS
    assert len(found["text"]) > 3_500
    print(
        f"{EVENTS:,} events: {min(times):.1f} ms, {statistics.median(times):.1f} in the median; CPU {statistics.median(busy):.1f}"
    )
