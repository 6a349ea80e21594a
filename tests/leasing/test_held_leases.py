"""An intent's row repeats its active leases while they are few: it agrees with the table, and spares writes a query."""

from random import Random

import pytest
from django.db import connection, connections

from intents.models import Intent
from leasing.held_leases import REPEATED, HeldLease
from leasing.models import Lease, Status
from leasing.services import expire_lease
from tests.leasing.conftest import acquire, make_overdue

pytestmark = pytest.mark.django_db


def active(intent):
    return [*Lease.objects.filter(intent=intent["id"], status=Status.ACTIVE).order_by("fencing_token")]


def repeated(intent):
    return [HeldLease(*each) for each in Intent.objects.get(pk=intent["id"]).held_leases or ()]


def patch(caller, intent, path, **headers):
    body = {"patches": [{"op": "set", "path": path, "value": 1}]}
    return caller.post(f"/intents/{intent['id']}/state", body, version=Intent.objects.get(pk=intent["id"]).version, **headers)


@pytest.fixture
def lease_queries(monkeypatch):
    """Queries of leases until now."""
    run, statements = connection.run, []

    def noted(sql, parameters):
        if "leasing_lease" in sql and sql.startswith("SELECT"):
            statements.append(sql)
        return run(sql, parameters)

    monkeypatch.setattr(connections["default"], "run", noted)
    return statements


@pytest.mark.rule("L-3", "L-4")
@pytest.mark.parametrize("seed", range(5))
def test_row_agrees_with_the_table_after_each_act(ada, bob, api, intent, seed):
    random = Random(seed)
    leases = f"/intents/{intent['id']}/leases"
    done = set()
    for _ in range(60):
        caller, held = random.choice([ada, bob]), active(intent)
        act = random.choice(["acquire", "acquire", "queue", "renew", "release", "revoke", "expire"])
        scope = random.choice("abcdef") + random.choice(["", ".x", ".y"])
        if act == "acquire":
            acquire(caller, intent, scope, duration_seconds=random.randint(60, 600))
        elif act == "queue":
            caller.post(f"/intents/{intent['id']}/lease-queue", {"scope": scope})
        elif not held:
            continue
        else:
            lease = random.choice(held)
            path, holder = f"{leases}/{lease.pk}", ada if lease.agent_id == "ada" else bob
            if act == "renew":
                assert holder.send("PATCH", path, {"duration_seconds": random.randint(60, 600)}).status_code == 200
            elif act == "release":
                assert holder.delete(path).status_code == 204
            elif act == "revoke":
                assert api.post(f"{path}/revoke", {}).status_code == 200
            else:
                make_overdue({"id": lease.pk})
                assert expire_lease(lease.pk)
        done.add(act)
        assert repeated(intent) == [HeldLease.of(lease) for lease in active(intent)], act
    assert done == {"acquire", "queue", "renew", "release", "revoke", "expire"}

    api.post(f"/intents/{intent['id']}/status", {"status": "abandoned"}, version=intent["version"])
    assert (repeated(intent), active(intent)) == ([], [])


@pytest.mark.fast_paths
def test_write_with_few_leases_does_not_query_them(ada, bob, intent, lease_queries):
    lease = acquire(ada, intent).json()
    acquire(bob, intent, "hotel")
    lease_queries.clear()

    assert patch(ada, intent, "/flights/seat", x_fencing_token=str(lease["fencing_token"])).status_code == 200
    assert lease_queries == []

    assert patch(bob, intent, "/flights/seat").json()["existing_lease"]["id"] == lease["id"]


@pytest.mark.fast_paths
def test_lease_beside_few_others_is_acquired_without_a_query_of_them(ada, bob, intent, lease_queries):
    acquire(ada, intent)
    acquire(bob, intent, "hotel")
    lease_queries.clear()

    assert acquire(ada, intent, "dinner").status_code == 201
    assert lease_queries == []


@pytest.mark.rule("L-3", "L-4")
def test_many_leases_are_queried_until_all_have_ended(ada, bob, intent):
    many = [acquire(ada, intent, f"part{number}").json() for number in range(REPEATED + 1)]
    assert Intent.objects.get(pk=intent["id"]).held_leases is None

    for each in many[1:]:
        assert ada.delete(f"/intents/{intent['id']}/leases/{each['id']}").status_code == 204
    assert patch(bob, intent, "/part0/x").json()["existing_lease"]["id"] == many[0]["id"]
    assert patch(ada, intent, "/part0/x", x_fencing_token="1").status_code == 200
    assert patch(ada, intent, "/part0/x", x_fencing_token="2").json()["code"] == "lease_lost"

    ada.delete(f"/intents/{intent['id']}/leases/{many[0]['id']}")
    again = acquire(ada, intent, "part0").json()
    assert [each.fencing_token for each in repeated(intent)] == [again["fencing_token"]] == [REPEATED + 2]


@pytest.mark.rule("L-3", "L-4")
def test_leases_that_the_row_does_not_repeat_are_queried(ada, bob, intent):
    """As after an upgrade: they were acquired before the row repeated leases."""
    lease = acquire(ada, intent).json()
    Intent.objects.update(held_leases=None)

    assert patch(bob, intent, "/flights/seat").json()["existing_lease"]["id"] == lease["id"]
    assert patch(ada, intent, "/flights/seat", x_fencing_token="1").status_code == 200
    assert patch(ada, intent, "/flights/seat", x_fencing_token="2").json()["code"] == "lease_lost"

    assert ada.delete(f"/intents/{intent['id']}/leases/{lease['id']}").status_code == 204
    assert Intent.objects.get(pk=intent["id"]).active_leases == 0
