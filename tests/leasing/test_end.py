"""Renewal, release, revocation and expiry of leases (rules L-2, L-5, L-6)."""

from datetime import datetime, timedelta

import pytest

from intents.models import Intent
from jobs.worker import run_due_tasks
from leasing.models import Lease
from leasing.services import expire_lease
from tests.conftest import Caller, log, set_status
from tests.leasing.conftest import acquire, make_overdue

pytestmark = pytest.mark.database("sqlite", "postgresql")


@pytest.fixture
def lease(ada, intent):
    return acquire(ada, intent, duration_seconds=60).json()


@pytest.fixture
def path(intent, lease):
    return f"/intents/{intent['id']}/leases/{lease['id']}"


def kinds(api, intent):
    return [kind for kind, _ in log(api, intent)][1:]


@pytest.mark.rule("L-5")
def test_renewal_starts_now(api, ada, intent, lease, path):
    renewed = ada.patch(path, {"duration_seconds": 600})

    assert renewed.status_code == 200
    assert renewed.json()["fencing_token"] == lease["fencing_token"]
    ends = datetime.fromisoformat(renewed.json()["expires_at"])
    assert ends >= datetime.fromisoformat(lease["acquired_at"]) + timedelta(seconds=600)
    assert kinds(api, intent) == ["lease_acquired", "lease_renewed"]


@pytest.mark.rule("L-5")
def test_renewal_may_shorten_a_lease(ada, lease, path):
    assert ada.patch(path, {"duration_seconds": 1}).json()["expires_at"] < lease["expires_at"]


@pytest.mark.rule("L-5")
@pytest.mark.parametrize("end", ["ran out", "released", "revoked"])
def test_ended_lease_is_not_renewed(api, ada, intent, lease, path, end):
    if end == "ran out":
        make_overdue(lease)
    elif end == "released":
        ada.delete(path)
    else:
        api.post(f"{path}/revoke", {})
    before = Lease.objects.values().get(), log(api, intent)

    response = ada.patch(path, {"duration_seconds": 600})

    assert (response.status_code, response.json()["code"]) == (409, "lease_expired")
    assert (Lease.objects.values().get(), log(api, intent)) == before


@pytest.mark.rule("L-5")
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_only_the_holder_renews_and_releases(api, bob, intent, path, method):
    for other in (bob, api):
        response = other.send(method, path, {} if method == "PATCH" else None)

        assert (response.status_code, response.json()["code"]) == (403, "not_lease_holder")
    assert kinds(api, intent) == ["lease_acquired"]


@pytest.mark.rule("L-5")
def test_release_frees_the_scope_and_is_idempotent(api, ada, bob, intent, lease, path):
    assert ada.delete(path).status_code == 204
    assert ada.delete(path).status_code == 204

    assert kinds(api, intent) == ["lease_acquired", "lease_released"]
    row = Lease.objects.get(pk=lease["id"])
    assert (row.status, row.released_at is None) == ("released", False)
    assert Intent.objects.get(pk=intent["id"]).active_leases == 0
    assert acquire(bob, intent).status_code == 201


def test_overdue_lease_expires_when_it_is_released(api, ada, intent, lease, path):
    make_overdue(lease)

    assert ada.delete(path).status_code == 204
    assert kinds(api, intent) == ["lease_acquired", "lease_expired"]


@pytest.mark.rule("L-5")
def test_operator_revokes_with_a_reason(api, ada, intent, lease, path):
    response = api.post(f"{path}/revoke", {"reason": "It does not answer"})

    assert (response.status_code, response.json()["status"]) == (200, "revoked")
    assert response.json()["released_at"]
    event = api.get(f"/intents/{intent['id']}/events", event_type="lease_revoked").json()["events"][0]
    assert (event["actor"], event["payload"]["reason"]) == ("dev-user", "It does not answer")
    assert api.post(f"{path}/revoke", {}).json() == response.json()
    assert kinds(api, intent) == ["lease_acquired", "lease_revoked"]


@pytest.mark.rule("L-5")
def test_arbiter_revokes_and_agent_does_not(api, bob, intent, path):
    refused = bob.post(f"{path}/revoke", {})
    key = api.post("/keys", {"name": "judge", "role": "arbiter"}).json()["key"]

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert kinds(api, intent) == ["lease_acquired"]
    assert Caller(key).post(f"{path}/revoke", {}).status_code == 200


@pytest.mark.rule("L-2")
def test_worker_marks_an_overdue_lease_once(api, intent, lease):
    assert run_due_tasks() == 0
    make_overdue(lease)

    assert [run_due_tasks(), run_due_tasks()] == [1, 0]
    assert log(api, intent)[-1] == ("lease_expired", "system")
    assert kinds(api, intent) == ["lease_acquired", "lease_expired"]
    assert Intent.objects.get(pk=intent["id"]).active_leases == 0


@pytest.mark.rule("L-2")
def test_concurrently_renewed_lease_is_not_expired(ada, lease, path):
    ada.patch(path, {"duration_seconds": 60})

    assert expire_lease(Lease.objects.get(pk=lease["id"]).pk) is False
    assert Lease.objects.get(pk=lease["id"]).status == "active"


@pytest.mark.rule("L-6")
@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_closing_an_intent_releases_its_leases(api, bob, intent, lease, status):
    acquire(bob, intent, "hotel")

    set_status(api, intent, status)

    assert set(Lease.objects.values_list("status", flat=True)) == {"released"}
    assert kinds(api, intent) == ["lease_acquired", "lease_acquired", "status_changed", "lease_released", "lease_released"]
    assert Intent.objects.get(pk=intent["id"]).active_leases == 0


@pytest.mark.rule("L-6")
def test_cascade_releases_the_leases_of_descendants(api, ada, intent, make_intent):
    child = make_intent(parent_intent_id=intent["id"])
    acquire(ada, child)

    set_status(api, intent, "abandoned", cascade=True)

    assert Lease.objects.get().status == "released"


@pytest.mark.parametrize("lease_id", ["none", "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"])
def test_unknown_lease_is_not_found(api, intent, lease_id):
    path = f"/intents/{intent['id']}/leases/{lease_id}"
    for response in (api.patch(path, {}), api.delete(path), api.post(f"{path}/revoke", {})):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_lease_of_another_intent_is_not_found(ada, lease, make_intent):
    assert ada.patch(f"/intents/{make_intent()['id']}/leases/{lease['id']}", {}).status_code == 404
