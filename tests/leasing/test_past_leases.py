"""Verbs cost the same however many leases an intent had, in steps of SQLite's virtual machine."""

from datetime import UTC, datetime, timedelta

import pytest

from leasing.models import Lease, Status
from tests.conftest import fresh
from tests.leasing.conftest import acquire
from tests.sqlite_steps import STEPS, counted_steps

pytestmark = [pytest.mark.django_db, pytest.mark.database("sqlite")]

PAST = 2_000
STATE = {"flights": {"seat": None}, "hotel": {}}


def add_past_leases(intent):
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    about = {"intent_id": intent["id"], "agent_id": "ada", "principal": "ada", "scope": "flights", "first_level": "flights"}
    times = {"acquired_at": begun, "expires_at": begun + timedelta(minutes=1), "released_at": begun}
    Lease.objects.bulk_create(
        Lease(**about, **times, status=Status.RELEASED, fencing_token=1_000_000 + number) for number in range(PAST)
    )


def write(caller, intent, path, **headers):
    body = {"patches": [{"op": "set", "path": path, "value": "A"}]}
    return caller.post(f"/intents/{intent['id']}/state", body, version=intent["version"], **headers)


def abandon(caller, intent):
    return caller.post(f"/intents/{intent['id']}/status", {"status": "abandoned"}, version=intent["version"])


def fail(caller, intent):
    return caller.post(f"/intents/{intent['id']}/failures", {"attempt": 1, "error_code": "timeout"})


ACTS = {
    "write of the holder": (
        lambda ada, bob, intent, lease: write(ada, intent, "/flights/seat", x_fencing_token=str(lease["fencing_token"])),
        200,
    ),
    "write beside": (lambda ada, bob, intent, lease: write(bob, intent, "/hotel/name"), 200),
    "refused write": (lambda ada, bob, intent, lease: write(bob, intent, "/flights/seat"), 409),
    "another lease": (lambda ada, bob, intent, lease: acquire(bob, intent, "hotel"), 201),
    "refused lease": (lambda ada, bob, intent, lease: acquire(bob, intent, "flights.seat"), 409),
    "release": (lambda ada, bob, intent, lease: ada.delete(f"/intents/{intent['id']}/leases/{lease['id']}"), 204),
    "end of all": (lambda ada, bob, intent, lease: abandon(ada, intent), 200),
    "failure": (lambda ada, bob, intent, lease: fail(ada, intent), 201),
}


@pytest.mark.parametrize("act", ACTS)
def test_past_leases_are_not_read(act, ada, bob, make_intent):
    run, status = ACTS[act]
    counts = []
    for has_past in (False, False, True):  # The first time, more is looked up.
        intent = make_intent(state=STATE)
        lease = acquire(ada, intent).json()
        if has_past:
            add_past_leases(intent)
        intent = fresh(ada, intent)
        with counted_steps() as count:
            response = run(ada, bob, intent, lease)
        assert response.status_code == status, response.json()
        counts.append(count[0])

    assert counts[2] < counts[1] + PAST / STEPS, "each lease that is read takes a step at least"
