"""POST /intents/{id}/lease-queue: agents wait for a scope in order (rule L-9)."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from leasing.grants import LISTENS_FOR
from leasing.models import Lease, LeaseWaiter
from leasing.services import delete_left_places, expire_lease
from tests.conftest import log, set_status
from tests.leasing.conftest import acquire, make_overdue

pytestmark = [pytest.mark.database("sqlite", "postgresql"), pytest.mark.rule("L-9")]


def wait(caller, intent, scope="flights", **fields):
    return caller.post(f"/intents/{intent['id']}/lease-queue", {"scope": scope, **fields})


def release(caller, lease):
    return caller.delete(f"/intents/{lease['intent_id']}/leases/{lease['id']}")


def forget(place):
    """Let the place's agent not have asked for some seconds."""
    row = LeaseWaiter.objects.get(pk=place["id"])
    LeaseWaiter.objects.filter(pk=row.pk).update(waits_until=row.waits_until - 2 * LISTENS_FOR)


@pytest.fixture
def cleo(agent):
    return agent("cleo")


def test_a_free_scope_is_acquired_at_once(api, ada, intent):
    response = wait(ada, intent, duration_seconds=60)

    body = response.json()
    assert response.status_code == 200
    assert (body["position"], body["id"], body["waits_until"], body["existing_lease"]) == (0, None, None, None)
    lease = body["lease"]
    assert (lease["agent_id"], lease["scope"], lease["status"]) == ("ada", "flights", "active")
    assert datetime.fromisoformat(lease["expires_at"]) - datetime.fromisoformat(lease["acquired_at"]) == timedelta(seconds=60)
    assert not LeaseWaiter.objects.exists()


def test_agent_that_waits_gets_the_scope_before_its_last_holder(ada, bob, intent):
    held = acquire(ada, intent).json()
    place = wait(bob, intent, duration_seconds=60).json()
    assert (place["position"], place["lease"], place["existing_lease"]["id"]) == (1, None, held["id"])

    release(ada, held)
    refused = acquire(ada, intent)

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_conflict")
    assert refused.json()["existing_lease"]["agent_id"] == "bob"
    lease = wait(bob, intent, duration_seconds=60).json()["lease"]
    assert lease["id"] == refused.json()["existing_lease"]["id"]
    assert datetime.fromisoformat(lease["expires_at"]) - datetime.fromisoformat(lease["acquired_at"]) == timedelta(seconds=60)


def test_places_are_kept_in_the_order_of_asking(ada, bob, cleo, agent, intent):
    held = acquire(ada, intent).json()
    assert wait(bob, intent).json()["position"] == 1
    assert wait(cleo, intent).json()["position"] == 2
    assert wait(bob, intent).json()["position"] == 1

    release(ada, held)
    assert wait(cleo, intent).json()["lease"] is None
    lease = wait(bob, intent).json()["lease"]
    release(bob, lease)

    assert acquire(bob, intent).json()["existing_lease"]["agent_id"] == "cleo"
    assert wait(cleo, intent).json()["lease"]["agent_id"] == "cleo"


def test_scopes_that_do_not_overlap_wait_apart(ada, bob, cleo, intent):
    flights, hotel = acquire(ada, intent, "flights").json(), acquire(ada, intent, "hotel").json()
    assert wait(bob, intent, "flights").json()["position"] == 1
    assert wait(cleo, intent, "hotel").json()["position"] == 1

    release(ada, hotel)

    assert wait(cleo, intent, "hotel").json()["lease"]["scope"] == "hotel"
    assert wait(bob, intent, "flights").json()["existing_lease"]["id"] == flights["id"]


def test_wide_scope_waits_for_all_below_it_and_keeps_its_place(ada, bob, cleo, intent):
    seat, meal = acquire(ada, intent, "flights.seat").json(), acquire(ada, intent, "flights.meal").json()
    wait(bob, intent, "flights")
    assert wait(cleo, intent, "flights.seat").json()["position"] == 2

    release(ada, seat)
    assert wait(cleo, intent, "flights.seat").json()["lease"] is None
    release(ada, meal)

    assert wait(bob, intent, "flights").json()["lease"]["agent_id"] == "bob"


@pytest.mark.parametrize("end", ["revoked", "expired", "acquired by another that waits"])
def test_every_end_of_a_lease_hands_it_over(api, ada, bob, cleo, intent, end):
    held = acquire(ada, intent).json()
    wait(bob, intent)
    if end == "revoked":
        api.post(f"/intents/{intent['id']}/leases/{held['id']}/revoke", {})
    else:
        make_overdue(held)
    if end == "expired":
        assert expire_lease(Lease.objects.get(pk=held["id"]).pk)
    if end.startswith("acquired"):
        wait(cleo, intent)

    assert wait(bob, intent).json()["lease"]["agent_id"] == "bob"


def test_agent_that_has_ceased_to_ask_is_passed_over(ada, bob, cleo, intent):
    held = acquire(ada, intent).json()
    dead = wait(bob, intent).json()
    wait(cleo, intent)
    forget(dead)

    release(ada, held)

    assert wait(cleo, intent).json()["lease"]["agent_id"] == "cleo"
    assert wait(bob, intent).json()["position"] == 1
    forget(wait(bob, intent).json())
    assert delete_left_places() == 1


def test_a_lease_that_is_not_taken_goes_to_the_next(ada, bob, cleo, intent):
    held = acquire(ada, intent).json()
    wait(bob, intent, duration_seconds=3600)
    wait(cleo, intent)
    release(ada, held)
    [granted] = Lease.objects.filter(agent_id="bob")
    assert granted.expires_at - granted.acquired_at == LISTENS_FOR

    make_overdue({"id": granted.pk})

    assert wait(cleo, intent).json()["lease"]["agent_id"] == "cleo"
    assert wait(bob, intent).json()["position"] == 1


def test_a_lease_below_that_is_overdue_is_not_in_the_way(ada, bob, intent):
    held, seat = acquire(ada, intent, "flights").json(), acquire(ada, intent, "flights.seat").json()
    wait(bob, intent, "flights.seat")
    make_overdue(seat)

    release(ada, held)

    assert wait(bob, intent, "flights.seat").json()["lease"]["agent_id"] == "bob"
    assert Lease.objects.get(pk=seat["id"]).status == "expired"


def test_leaving_gives_up_the_place_and_what_was_granted(ada, bob, cleo, intent):
    held = acquire(ada, intent).json()
    place = wait(bob, intent).json()
    queue = f"/intents/{intent['id']}/lease-queue"
    refused = cleo.delete(f"{queue}/{place['id']}")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_lease_holder")
    wait(cleo, intent)
    release(ada, held)

    assert bob.delete(f"{queue}/{place['id']}").status_code == 204

    assert wait(cleo, intent).json()["lease"]["agent_id"] == "cleo"
    assert bob.delete(f"{queue}/{place['id']}").status_code == 204
    assert bob.delete(f"{queue}/{uuid4()}").status_code == 204
    assert acquire(ada, intent).json()["existing_lease"]["agent_id"] == "cleo"


def test_malformed_id_of_a_place_is_not_found(bob, intent):
    response = bob.delete(f"/intents/{intent['id']}/lease-queue/nonsense")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_the_holder_gets_its_lease_again(ada, bob, intent):
    held = acquire(ada, intent).json()

    again = wait(ada, intent, duration_seconds=3600).json()["lease"]

    assert (again["id"], again["acquired_at"]) == (held["id"], held["acquired_at"])
    assert again["expires_at"] > held["expires_at"]


def test_an_intent_that_closes_hands_nothing_over(api, ada, bob, intent):
    acquire(ada, intent)
    wait(bob, intent)

    set_status(api, intent, "abandoned")

    assert not Lease.objects.filter(agent_id="bob").exists()
    refused = wait(bob, intent)
    assert (refused.status_code, refused.json()["code"]) == (409, "intent_closed")


def test_events_say_who_got_it(api, ada, bob, intent):
    held = acquire(ada, intent).json()
    wait(bob, intent)
    release(ada, held)
    wait(bob, intent)

    assert log(api, intent)[1:] == [
        ("lease_acquired", "ada"),
        ("lease_released", "ada"),
        ("lease_acquired", "bob"),
        ("lease_renewed", "bob"),
    ]


def test_a_full_queue_is_a_conflict_and_keeps_no_place(monkeypatch, ada, bob, cleo, intent):
    monkeypatch.setattr("leasing.services.MAX_WAITERS", 1)
    acquire(ada, intent)
    wait(bob, intent)

    refused = wait(cleo, intent)

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_conflict")
    assert [each.agent_id for each in LeaseWaiter.objects.all()] == ["bob"]


def test_agent_with_as_many_leases_as_allowed_is_passed_over(monkeypatch, ada, bob, cleo, intent):
    held = acquire(ada, intent).json()
    wait(bob, intent)
    wait(cleo, intent)
    acquire(bob, intent, "hotel")
    monkeypatch.setattr("leasing.grants.MAX_LEASES", 1)

    release(ada, held)

    assert [each.agent_id for each in Lease.objects.filter(scope="flights", status="active")] == ["cleo"]


def test_a_gate_that_was_set_meanwhile_is_not_passed_by_waiting(api, ada, bob, intent):
    held = acquire(ada, intent).json()
    wait(bob, intent)
    assert api.post("/gates", {"verb": "acquire_lease", "intent_id": intent["id"]}).status_code == 201

    release(ada, held)

    assert not Lease.objects.filter(agent_id="bob").exists()
    refused = wait(bob, intent)
    assert (refused.status_code, refused.json()["code"]) == (403, "permit_required")


def test_a_permit_is_not_spent_on_waiting(api, ada, bob, intent):
    held = acquire(ada, intent).json()
    assert wait(bob, intent).json()["position"] == 1
    api.post("/gates", {"verb": "acquire_lease", "intent_id": intent["id"]})
    remedy = wait(bob, intent).json()["remedy"]
    asked = bob.post(f"/intents/{intent['id']}/arbitrate", remedy).json()
    api.post(f"/intents/{intent['id']}/decisions", {"decision": "approve", "arbitration_id": asked["id"]})
    [permit] = bob.get(f"/intents/{intent['id']}/permits").json()["permits"]

    refused = bob.post(f"/intents/{intent['id']}/lease-queue", {"scope": "flights"}, x_permit=permit["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "lease_conflict")
    assert bob.get(f"/permits/{permit['id']}").json()["status"] == "live"

    release(ada, held)
    granted = bob.post(f"/intents/{intent['id']}/lease-queue", {"scope": "flights"}, x_permit=permit["id"])
    assert granted.json()["lease"]["agent_id"] == "bob"
    assert bob.get(f"/permits/{permit['id']}").json()["status"] == "spent"
