"""What a lease guards: the state below its scope, and writes that name its token."""

from random import Random

import pytest

from intents.models import Intent
from leasing.scopes import ScopeIndex, overlap
from tests.conftest import Caller, fresh, log
from tests.leasing.conftest import acquire, run_out


def patch(caller, intent, path, *, op="set", version=1, **headers):
    body = {"patches": [{"op": op, "path": path, **({} if op == "remove" else {"value": 1})}]}
    return caller.post(f"/intents/{intent['id']}/state", body, version=version, **headers)


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("path", ["/flights/seat", "flights", "/flights", "/flights/seat/row"])
def test_a_patch_below_or_above_a_leased_scope_is_refused_to_others(api, ada, bob, intent, path):
    lease = acquire(ada, intent, "flights.seat").json()
    before = log(api, intent)

    response = patch(bob, intent, path)

    assert (response.status_code, response.json()["code"]) == (409, "lease_conflict")
    assert response.json()["existing_lease"] == lease
    assert fresh(api, intent) == {**intent, "last_sequence": intent["last_sequence"] + 1}
    assert log(api, intent) == before


@pytest.mark.rule("L-3")
def test_one_guarded_patch_among_several_stops_them_all(api, ada, bob, intent):
    acquire(ada, intent, "flights")
    patches = [{"op": "set", "path": "hotel", "value": 1}, {"op": "remove", "path": "/flights/seat"}]

    response = bob.post(f"/intents/{intent['id']}/state", {"patches": patches}, version=1)

    assert response.status_code == 409
    assert fresh(api, intent)["state"] == intent["state"]


@pytest.mark.rule("L-3")
def test_who_sets_keys_of_the_state_is_stopped_as_well(ada, bob, intent):
    acquire(ada, intent, "flights")

    assert bob.post(f"/intents/{intent['id']}/state", {"state": {"flights": {}}}, version=1).status_code == 409


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("path", ["hotel", "/hotel/name", "/flight", "flights.seat", "/flights/price"])
def test_what_lies_beside_a_leased_scope_is_free(ada, bob, intent, path):
    acquire(ada, intent, "flights.seat")

    assert patch(bob, intent, path).status_code == 200


@pytest.mark.rule("L-3")
def test_the_holder_writes_with_and_without_its_token(ada, intent):
    lease = acquire(ada, intent).json()

    assert patch(ada, intent, "flights").status_code == 200
    assert patch(ada, intent, "flights", version=2, x_fencing_token=str(lease["fencing_token"])).status_code == 200


@pytest.mark.rule("L-2", "L-3")
def test_a_lease_that_ran_out_guards_nothing(ada, bob, intent):
    run_out(acquire(ada, intent).json())

    assert patch(bob, intent, "flights").status_code == 200


WRITES = {
    "state": lambda path: ("POST", f"{path}/state", {"state": {"hotel": 1}}),
    "details": lambda path: ("PATCH", path, {"title": "Another"}),
    "status": lambda path: ("POST", f"{path}/status", {"status": "active"}),
    "the status that it has": lambda path: ("POST", f"{path}/status", {"status": "draft"}),
    "an event": lambda path: ("POST", f"{path}/events", {"event_type": "comment"}),
    "a batch": lambda path: ("POST", f"{path}/events/batch", {"events": [{"event_type": "comment"}]}),
    "an agent": lambda path: ("POST", f"{path}/agents", {"agent_id": "carl"}),
    "no agent": lambda path: ("DELETE", f"{path}/agents/carl", None),
    "a dependency": lambda path: ("POST", f"{path}/dependencies", {"depends_on": ["<other>"]}),
    "no dependency": lambda path: ("DELETE", f"{path}/dependencies/<other>", None),
    "a question": lambda path: ("POST", f"{path}/arbitrate", {"reason": "Which one?"}),
    "a cost": lambda path: ("POST", f"{path}/costs", {"cost_type": "api_call", "amount": 1, "unit": "USD"}),
    "a failure": lambda path: ("POST", f"{path}/failures", {"error_type": "timeout"}),
    "a retry policy": lambda path: ("PUT", f"{path}/retry-policy", {}),
    "an attachment": lambda path: ("POST", f"{path}/attachments", {"filename": "a.txt", "content_base64": "YQ=="}),
}


@pytest.fixture(params=WRITES.values(), ids=WRITES.keys())
def write(request, intent, make_intent):
    method, path, body = request.param(f"/intents/{intent['id']}")
    other = make_intent()["id"]
    if body and "depends_on" in body:
        body = {"depends_on": [other]}
    return lambda caller, token: caller.send(method, path.replace("<other>", other), body, version=1, x_fencing_token=str(token))


@pytest.mark.rule("L-4")
@pytest.mark.parametrize("loss", ["expired", "revoked", "released", "another's", "never given"])
def test_a_write_with_a_lost_token_is_refused_and_nothing_is_written(api, ada, bob, intent, write, loss):
    lease = acquire(bob if loss == "another's" else ada, intent, "elsewhere").json()
    path = f"/intents/{intent['id']}/leases/{lease['id']}"
    if loss == "expired":
        run_out(lease)
    elif loss == "revoked":
        api.post(f"{path}/revoke", {})
    elif loss == "released":
        ada.delete(path)
    before = fresh(api, intent), log(api, intent)

    response = write(ada, 99 if loss == "never given" else lease["fencing_token"])

    assert (response.status_code, response.json()["code"]) == (409, "lease_lost")
    assert (fresh(api, intent), log(api, intent)) == before


@pytest.mark.rule("L-4")
def test_a_write_with_the_token_of_an_active_lease_is_done(ada, intent, write):
    token = acquire(ada, intent, "elsewhere").json()["fencing_token"]

    assert write(ada, token).status_code in (200, 201, 204)


@pytest.mark.rule("L-4")
def test_the_next_holder_does_not_revive_an_old_token(ada, intent):
    run_out(acquire(ada, intent).json())
    again = acquire(ada, intent).json()

    assert patch(ada, intent, "flights", x_fencing_token="1").json()["code"] == "lease_lost"
    assert patch(ada, intent, "flights", x_fencing_token=str(again["fencing_token"])).status_code == 200


@pytest.mark.rule("L-4")
@pytest.mark.parametrize("token", ["", "0", "-1", "1.0", "one", "9" * 19, "1,1"])
def test_a_token_that_is_none_is_refused(api, intent, token):
    response = patch(api, intent, "flights", x_fencing_token=token)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "X-Fencing-Token")
    assert Intent.objects.get(pk=intent["id"]).version == 1


@pytest.mark.rule("L-3")
def test_an_operator_is_stopped_as_everybody(ada, api: Caller, intent):
    acquire(ada, intent)

    assert patch(api, intent, "flights").status_code == 409


@pytest.mark.rule("L-3")
def test_many_scopes_at_once_overlap_as_each_by_itself():
    random = Random(7)
    paths = [["a", "b", "ab", "a.b"][: random.randint(1, 4)] for _ in range(4)]
    paths += [random.choices(["a", "b", "ab"], k=random.randint(0, 4)) for _ in range(400)]
    for _ in range(200):
        leased = [each for each in random.sample(paths, random.randint(0, 5)) if each]
        asked = random.choice(paths)
        assert ScopeIndex(leased).overlap(asked) == any(overlap(scope, asked) for scope in leased), (leased, asked)


@pytest.mark.rule("L-3")
@pytest.mark.case("security M8")
def test_a_write_of_many_patches_asks_once_for_the_leases_that_it_could_meet(ada, bob, intent, django_assert_max_num_queries):
    for number in range(50):
        acquire(ada, intent, f"part{number}.draft")
    patches = [{"op": "set", "path": f"/free{number}/x", "value": 1} for number in range(1000)]

    with django_assert_max_num_queries(5) as asked:
        assert bob.post(f"/intents/{intent['id']}/state", {"patches": patches}, version=1).status_code == 200
    assert len([query for query in asked.captured_queries if "leasing_lease" in query["sql"]]) == 1

    patches[700]["path"] = "/part7"
    refused = bob.post(f"/intents/{intent['id']}/state", {"patches": patches}, version=2)
    assert (refused.status_code, refused.json()["existing_lease"]["scope"]) == (409, "part7.draft")
