"""Lease guards: the state below a leased scope, and writes that carry a fencing token."""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from django.db import connection, connections
from django.urls import URLResolver, get_resolver

from core.api.views import WRITES
from intents.models import Intent
from leasing.scopes import ScopeIndex, overlap
from tests.access.operations import Operation, everything, make_world, operations
from tests.conftest import Caller, fresh, log
from tests.leasing.conftest import acquire, make_overdue


def patch(caller, intent, path, *, op="set", version=1, **headers):
    body = {"patches": [{"op": op, "path": path, **({} if op == "remove" else {"value": 1})}]}
    return caller.post(f"/intents/{intent['id']}/state", body, version=version, **headers)


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("path", ["/flights/seat", "flights", "/flights", "/flights/seat/row"])
def test_patch_of_an_overlapping_path_is_refused_to_other_agents(api, ada, bob, intent, path):
    lease = acquire(ada, intent, "flights.seat").json()
    before = log(api, intent)

    response = patch(bob, intent, path)

    assert (response.status_code, response.json()["code"]) == (409, "lease_conflict")
    assert response.json()["existing_lease"] == lease
    assert fresh(api, intent) == {**intent, "last_sequence": intent["last_sequence"] + 1}
    assert log(api, intent) == before


@pytest.mark.rule("L-3")
def test_guarded_patch_refuses_all_patches(api, ada, bob, intent):
    acquire(ada, intent, "flights")
    patches = [{"op": "set", "path": "hotel", "value": 1}, {"op": "remove", "path": "/flights/seat"}]

    response = bob.post(f"/intents/{intent['id']}/state", {"patches": patches}, version=1)

    assert response.status_code == 409
    assert fresh(api, intent)["state"] == intent["state"]


@pytest.mark.rule("L-3")
def test_lease_guards_keys_of_a_state_write(ada, bob, intent):
    acquire(ada, intent, "flights")

    assert bob.post(f"/intents/{intent['id']}/state", {"state": {"flights": {}}}, version=1).status_code == 409


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("path", ["hotel", "/hotel/name", "/flight", "flights.seat", "/flights/price"])
def test_lease_does_not_guard_sibling_paths(ada, bob, intent, path):
    acquire(ada, intent, "flights.seat")

    assert patch(bob, intent, path).status_code == 200


@pytest.mark.rule("L-3")
def test_holder_writes_with_and_without_its_token(ada, intent):
    lease = acquire(ada, intent).json()

    assert patch(ada, intent, "flights").status_code == 200
    assert patch(ada, intent, "flights", version=2, x_fencing_token=str(lease["fencing_token"])).status_code == 200


@pytest.mark.rule("L-2", "L-3")
def test_overdue_lease_guards_nothing(ada, bob, intent):
    make_overdue(acquire(ada, intent).json())

    assert patch(bob, intent, "flights").status_code == 200


def write_operations(patterns: Sequence[Any], prefix: str = "") -> Iterator[Operation]:
    """Yield the operations that write to the intent in their path, as the URL configuration routes them."""
    described = {(each.method, each.path): each for each in operations().values()}
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from write_operations(pattern.url_patterns, route)
        elif ":intent_id>" in route:
            path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
            yield from (described[method.upper(), path] for method in pattern.callback.actions if method.upper() in WRITES)


OPERATIONS = {each.id: each for each in write_operations(get_resolver().url_patterns)}


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


@pytest.mark.rule("L-4")
def test_guarded_writes_are_found_in_the_routes_of_every_app():
    each_app = {"update_state", "revoke_lease", "record_decision", "delete_attachment", "record_cost", "set_retry_policy"}

    assert each_app | {"remove_intent_from_portfolio", "create_child_intent", "subscribe"} <= OPERATIONS.keys()


@pytest.mark.rule("L-4")
def test_write_with_a_lost_token_is_refused_and_changes_nothing(api, ada, bob, operation):
    world = make_world(api)
    intent = {"id": operation.ids(world)["intent_id"]}
    expired, revoked, released, other = (
        acquire(caller, intent, scope).json() for caller, scope in ((ada, "a"), (ada, "b"), (ada, "c"), (bob, "d"))
    )
    make_overdue(expired)
    api.post(f"/intents/{intent['id']}/leases/{revoked['id']}/revoke", {})
    ada.delete(f"/intents/{intent['id']}/leases/{released['id']}")
    before = everything()

    for token in (expired["fencing_token"], revoked["fencing_token"], released["fencing_token"], other["fencing_token"], 99):
        response = operation.send(api, world, headers={"x_agent_id": "ada", "x_fencing_token": str(token)})

        assert (response.status_code, response.json()["code"]) == (409, "lease_lost"), token
    assert everything() == before


@pytest.mark.rule("L-4")
def test_write_that_would_change_nothing_needs_its_lease_as_well(ada, intent):
    make_overdue(acquire(ada, intent, "elsewhere").json())

    same_status = ada.post(f"/intents/{intent['id']}/status", {"status": "draft"}, version=1, x_fencing_token="1")
    no_such_agent = ada.delete(f"/intents/{intent['id']}/agents/carl", x_fencing_token="1")

    assert (same_status.json()["code"], no_such_agent.json()["code"]) == ("lease_lost", "lease_lost")


@pytest.mark.rule("L-4")
def test_write_with_the_token_of_an_active_lease_succeeds(api, operation):
    world = make_world(api)
    intent_id = operation.ids(world)["intent_id"]
    lease = acquire(api, {"id": intent_id}, "elsewhere").json()

    place = api.post(f"/intents/{intent_id}/lease-queue", {"scope": "held"}).json()["id"] or world["place_id"]

    response = operation.send(
        api, {**world, "lease_id": lease["id"], "place_id": place}, headers={"x_fencing_token": str(lease["fencing_token"])}
    )

    assert response.status_code in (200, 201, 204), response.content


@pytest.mark.rule("L-4")
def test_new_lease_does_not_revive_an_old_token(ada, intent):
    make_overdue(acquire(ada, intent).json())
    again = acquire(ada, intent).json()

    assert patch(ada, intent, "flights", x_fencing_token="1").json()["code"] == "lease_lost"
    assert patch(ada, intent, "flights", x_fencing_token=str(again["fencing_token"])).status_code == 200


@pytest.mark.rule("L-4")
@pytest.mark.parametrize("token", ["", "0", "-1", "1.0", "one", "9" * 19, "1,1"])
def test_malformed_token_is_refused(api, intent, token):
    response = patch(api, intent, "flights", x_fencing_token=token)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "X-Fencing-Token")
    assert Intent.objects.get(pk=intent["id"]).version == 1


@pytest.mark.rule("L-3")
def test_lease_guards_against_operators_too(ada, api: Caller, intent):
    acquire(ada, intent)

    assert patch(api, intent, "flights").status_code == 409


@pytest.mark.rule("L-3")
def test_scope_index_agrees_with_pairwise_comparison():
    random = Random(7)
    paths = [["a", "b", "ab", "a.b"][: random.randint(1, 4)] for _ in range(4)]
    paths += [random.choices(["a", "b", "ab"], k=random.randint(0, 4)) for _ in range(400)]
    for _ in range(200):
        leased = [each for each in random.sample(paths, random.randint(0, 5)) if each]
        asked = random.choice(paths)
        assert ScopeIndex(leased).overlap(asked) == any(overlap(scope, asked) for scope in leased), (leased, asked)


@pytest.mark.fast_paths
@pytest.mark.rule("L-3")
@pytest.mark.case("security M8")
def test_patches_of_one_write_query_the_leases_once(ada, bob, intent, monkeypatch):
    for number in range(50):
        acquire(ada, intent, f"part{number}.draft")
    patches = [{"op": "set", "path": f"/free{number}/x", "value": 1} for number in range(1000)]

    run, statements = connection.run, []
    monkeypatch.setattr(connections["default"], "run", lambda sql, parameters: statements.append(sql) or run(sql, parameters))
    assert bob.post(f"/intents/{intent['id']}/state", {"patches": patches}, version=1).status_code == 200
    assert len([sql for sql in statements if "leasing_lease" in sql]) == 1

    patches[700]["path"] = "/part7"
    refused = bob.post(f"/intents/{intent['id']}/state", {"patches": patches}, version=2)
    assert (refused.status_code, refused.json()["existing_lease"]["scope"]) == (409, "part7.draft")
