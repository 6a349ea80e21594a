"""Holders of leases: an agent id under one principal, or a key bound to the agent (rules L-1, L-3, L-4, L-5; protocol §1.1)."""

import pytest

from access.models import Role
from access.services import create_key
from intents.models import Event
from leasing.models import Lease
from tests.conftest import Caller, fresh
from tests.leasing.conftest import acquire

pytestmark = [pytest.mark.rule("L-5"), pytest.mark.case("security H5")]


def with_key(agent, *, bound=False, role=Role.AGENT):
    """Return a caller with a key of its own that acts as the agent."""
    secret = create_key(name="k", role=role, agent_id=agent if bound else None, created_by="test")[1]
    return Caller(secret, None if bound else agent)


def rows():
    return [list(model.objects.order_by("pk").values()) for model in (Lease, Event)]


@pytest.fixture(params=[Role.AGENT, Role.ARBITER, Role.OPERATOR])
def impostor(db, request):
    """Return a caller with another key, of any role, that claims to be ada."""
    return with_key("ada", role=request.param)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_same_agent_id_under_another_key_neither_renews_nor_releases(ada, impostor, intent, method):
    lease = acquire(ada, intent).json()
    before = rows()

    refused = impostor.send(method, f"/intents/{intent['id']}/leases/{lease['id']}", {} if method == "PATCH" else None)

    assert (refused.status_code, refused.json()["code"]) == (403, "not_lease_holder")
    assert rows() == before


@pytest.mark.rule("L-1")
@pytest.mark.parametrize("scope", ["flights", "flights.seat"])
def test_same_agent_id_under_another_key_does_not_reacquire(ada, impostor, intent, scope):
    lease = acquire(ada, intent).json()
    before = rows()

    refused = acquire(impostor, intent, scope)

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_conflict")
    assert refused.json()["existing_lease"]["id"] == lease["id"]
    assert rows() == before


@pytest.mark.rule("L-3")
def test_same_agent_id_under_another_key_does_not_write_to_the_scope(api, ada, impostor, intent):
    acquire(ada, intent)
    before = rows()

    refused = impostor.post(f"/intents/{intent['id']}/state", {"state": {"flights": 1}}, version=intent["version"])

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_conflict")
    assert (rows(), fresh(api, intent)["state"]) == (before, intent["state"])


@pytest.mark.rule("L-4")
def test_same_agent_id_under_another_key_does_not_use_the_token(ada, impostor, intent):
    lease = acquire(ada, intent).json()
    before = rows()
    event = {"event_type": "comment", "payload": {}}

    refused = impostor.post(f"/intents/{intent['id']}/events", event, x_fencing_token=str(lease["fencing_token"]))

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_lost")
    assert rows() == before


@pytest.mark.rule("L-1")
def test_agents_that_share_a_key_are_different_holders(ada, bob, intent):
    lease = acquire(ada, intent).json()

    assert acquire(bob, intent).status_code == 409
    assert bob.delete(f"/intents/{intent['id']}/leases/{lease['id']}").status_code == 403


def test_new_key_of_a_bound_agent_keeps_its_lease(db, intent):
    old, new = with_key("carol", bound=True), with_key("carol", bound=True)
    lease = acquire(old, intent).json()
    path = f"/intents/{intent['id']}/leases/{lease['id']}"

    again = acquire(new, intent)
    assert (again.status_code, again.json()["fencing_token"]) == (200, lease["fencing_token"])
    assert new.patch(path, {"duration_seconds": 60}).status_code == 200
    event = {"event_type": "comment", "payload": {}}
    written = new.post(f"/intents/{intent['id']}/events", event, x_fencing_token=str(lease["fencing_token"]))
    assert written.status_code == 201
    assert new.delete(path).status_code == 204
