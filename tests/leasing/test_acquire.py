"""POST /intents/{id}/leases (RFC-0003)."""

from datetime import datetime, timedelta

import pytest
from openintent import InputValidationError
from openintent.validation import validate_lease_acquire

from intents.models import Intent
from leasing.models import Lease
from tests.conftest import fresh, log, set_status
from tests.leasing.conftest import acquire, make_overdue

pytestmark = pytest.mark.database("sqlite", "postgresql")


CREATED = ("intent_created", "dev-user")


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.rule("L-1")
def test_agent_acquires_a_scope(api, ada, intent):
    response = acquire(ada, intent, duration_seconds=60)

    lease = response.json()
    assert response.status_code == 201
    assert {**lease, "id": "", "acquired_at": "", "expires_at": ""} == {
        "id": "",
        "intent_id": intent["id"],
        "agent_id": "ada",
        "scope": "flights",
        "status": "active",
        "fencing_token": 1,
        "acquired_at": "",
        "expires_at": "",
        "released_at": None,
    }
    assert at(lease["expires_at"]) - at(lease["acquired_at"]) == timedelta(seconds=60)
    assert log(api, intent) == [CREATED, ("lease_acquired", "ada")]
    event = api.get(f"/intents/{intent['id']}/events", event_type="lease_acquired").json()["events"][0]
    assert event["payload"] == {
        "lease_id": lease["id"],
        "agent_id": "ada",
        "scope": "flights",
        "fencing_token": 1,
        "expires_at": lease["expires_at"],
    }
    assert fresh(api, intent)["version"] == intent["version"]


@pytest.mark.rule("L-2")
def test_default_duration_is_five_minutes(ada, intent):
    lease = acquire(ada, intent).json()

    assert at(lease["expires_at"]) - at(lease["acquired_at"]) == timedelta(minutes=5)


@pytest.mark.rule("L-1")
@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("content", "content"),
        ("content", "content.draft"),
        ("content.draft", "content"),
        ("content", "content.draft.title"),
        ("content.draft.title", "content"),
    ],
)
def test_overlapping_scope_is_refused_and_nothing_is_recorded(api, ada, bob, intent, held, wanted):
    lease = acquire(ada, intent, held).json()

    response = acquire(bob, intent, wanted)

    assert (response.status_code, response.json()["code"]) == (409, "lease_conflict")
    assert response.json()["existing_lease"] == lease
    assert Lease.objects.count() == 1
    assert log(api, intent) == [CREATED, ("lease_acquired", "ada")]


@pytest.mark.rule("L-1")
@pytest.mark.parametrize("wanted", ["contents", "conten", "other", "other.content", "content.published"])
def test_sibling_scope_is_free(ada, bob, intent, wanted):
    acquire(ada, intent, "content.draft")

    assert acquire(bob, intent, wanted).status_code == 201


@pytest.mark.rule("L-1")
def test_same_scope_of_another_intent_is_free(ada, bob, intent, make_intent):
    acquire(ada, intent)

    assert acquire(bob, make_intent()).status_code == 201


@pytest.mark.rule("L-1")
def test_holder_reacquires_its_lease_without_shortening_it(api, ada, intent):
    first = acquire(ada, intent, duration_seconds=60).json()

    longer = acquire(ada, intent, duration_seconds=600)
    shorter = acquire(ada, intent, duration_seconds=1)

    assert (longer.status_code, shorter.status_code) == (200, 200)
    assert {longer.json()["id"], shorter.json()["id"]} == {first["id"]}
    assert longer.json()["fencing_token"] == first["fencing_token"]
    assert at(longer.json()["expires_at"]) >= at(first["acquired_at"]) + timedelta(seconds=600)
    assert shorter.json()["expires_at"] == longer.json()["expires_at"]
    assert [kind for kind, _ in log(api, intent)] == ["intent_created", "lease_acquired", "lease_renewed"]


@pytest.mark.rule("L-1")
def test_agent_may_hold_overlapping_scopes(ada, intent):
    assert acquire(ada, intent, "content").status_code == 201
    assert acquire(ada, intent, "content.draft").status_code == 201
    assert Intent.objects.get(pk=intent["id"]).active_leases == 2


@pytest.mark.rule("L-2")
def test_acquiring_an_overdue_scope_marks_the_old_lease_expired(api, ada, bob, intent):
    dead = acquire(ada, intent, "content").json()
    make_overdue(dead)

    lease = acquire(bob, intent, "content.draft")

    assert lease.status_code == 201
    assert Lease.objects.get(pk=dead["id"]).status == "expired"
    assert log(api, intent) == [CREATED, ("lease_acquired", "ada"), ("lease_expired", "system"), ("lease_acquired", "bob")]
    assert Intent.objects.get(pk=intent["id"]).active_leases == 1


@pytest.mark.rule("L-2", "E-8")
@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("query", [{}, {"status": "expired"}])
def test_overdue_lease_is_marked_before_it_is_read_as_expired(api, ada, intent, everywhere, query):
    lease = acquire(ada, intent).json()
    make_overdue(lease)
    path = "/leases" if everywhere else f"/intents/{intent['id']}/leases"

    assert [(each["id"], each["status"]) for each in api.get(path, **query).json()["leases"]] == [(lease["id"], "expired")]

    assert Lease.objects.get().status == "expired"
    assert log(api, intent)[-1] == ("lease_expired", "system")
    assert Intent.objects.get(pk=intent["id"]).active_leases == 0
    assert api.get(path, status="active").json()["leases"] == []


@pytest.mark.rule("L-8")
@pytest.mark.case("security M8")
def test_agent_has_at_most_200_active_leases_on_an_intent(api, ada, bob, intent, make_intent):
    for number in range(200):
        assert acquire(ada, intent, f"part{number}").status_code == 201
    before = log(api, intent)

    refused = acquire(ada, intent, "one more")

    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (409, "too_many_leases", 200)
    assert (log(api, intent), Lease.objects.count()) == (before, 200)
    assert acquire(ada, intent, "part7").status_code == 200
    assert acquire(bob, intent, "one more").status_code == 201
    assert acquire(ada, make_intent(), "one more").status_code == 201
    make_overdue(Lease.objects.filter(scope="part8").values().get())
    assert acquire(ada, intent, "another").status_code == 201


@pytest.mark.rule("L-4")
def test_fencing_tokens_increase_with_every_lease_of_an_intent(ada, bob, intent):
    first = acquire(ada, intent).json()
    ada.delete(f"/intents/{intent['id']}/leases/{first['id']}")

    tokens = [acquire(bob, intent, scope).json()["fencing_token"] for scope in ("flights", "hotel")]

    assert [first["fencing_token"], *tokens] == [1, 2, 3]


def test_unbound_key_names_the_holder_of_a_lease(api, intent):
    assert acquire(api, intent, agent_id="carl").json()["agent_id"] == "carl"


def test_leases_of_all_intents_are_listed(api, ada, bob, intent, make_intent):
    mine = [acquire(ada, intent, "a").json()["id"], acquire(ada, make_intent(), "b").json()["id"]]
    acquire(bob, intent, "c")

    assert [each["id"] for each in api.get("/leases", agent_id="ada").json()["leases"]] == mine
    page = api.get("/leases", limit=1).json()
    assert page["next"]
    assert api.get("/leases", limit=1, cursor=page["next"]).json()["leases"][0]["id"] == mine[1]


@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_closed_intent_grants_no_leases(api, ada, intent, status):
    set_status(api, intent, status)
    before = log(api, intent)

    response = acquire(ada, intent)

    assert (response.status_code, response.json()["code"]) == (409, "intent_closed")
    assert log(api, intent) == before


BAD = {
    "no scope": ({}, "scope"),
    "an empty scope": ({"scope": ""}, "scope"),
    "an empty level": ({"scope": "a..b"}, "scope"),
    "a level of spaces": ({"scope": "a. .b"}, "scope"),
    "a dot at the end": ({"scope": "a."}, "scope"),
    "a scope that is too long": ({"scope": "a" * 201}, "scope"),
    "a scope that is a number": ({"scope": 5}, "scope"),
    "no time at all": ({"scope": "a", "duration_seconds": 0}, "duration_seconds"),
    "more than a day": ({"scope": "a", "duration_seconds": 86_401}, "duration_seconds"),
    "half a second": ({"scope": "a", "duration_seconds": 0.5}, "duration_seconds"),
    "a text as time": ({"scope": "a", "duration_seconds": "300"}, "duration_seconds"),
    "no time as null": ({"scope": "a", "duration_seconds": None}, "duration_seconds"),
    "an unknown field": ({"scope": "a", "duration": 300}, "duration"),
    "nobody": ({"scope": "a", "agent_id": ""}, "agent_id"),
}


@pytest.mark.rule("L-2")
@pytest.mark.parametrize(("body", "field"), BAD.values(), ids=BAD.keys())
def test_invalid_lease_request_is_refused_and_writes_nothing(api, intent, body, field):
    response = api.post(f"/intents/{intent['id']}/leases", body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"][0]["field"] == field
    assert not Lease.objects.exists()
    assert log(api, intent) == [CREATED]


@pytest.mark.parametrize("intent_id", ["none", "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"])
def test_leases_of_an_unknown_intent_are_not_found(api, db, intent_id):
    for response in (api.post(f"/intents/{intent_id}/leases", {"scope": "a"}), api.get(f"/intents/{intent_id}/leases")):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.rule("L-7")
@pytest.mark.parametrize(
    ("held", "wanted", "status"),
    [
        ("file:src", "file:src/app.py", 409),
        ("file:src/app.py", "file:src", 409),
        ("file:src/app.py", "file:src/app.py", 409),
        ("file:src/app.py", "file:src/app.pyi", 201),
        ("file:src", "file:src2", 201),
        ("file:src/a.b", "file:src/a", 201),
        ("file:Src", "file:src", 201),
        ("file", "file:src", 201),
        ("file:.github/ci.yml", "file:.github", 409),
    ],
)
def test_file_scopes_have_their_levels_at_slashes(ada, bob, intent, held, wanted, status):
    assert acquire(ada, intent, held).status_code == 201

    assert acquire(bob, intent, wanted).status_code == status


@pytest.mark.rule("L-7")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc",
        "src/",
        "a//b",
        ".",
        "..",
        "src/../app.py",
        "./app.py",
        "src\\app.py",
        "C:/app.py",
        "a\nb",
        "cafe\u0301",
        "x" * 513,
    ],
)
def test_path_that_is_not_normalised_is_refused(api, ada, intent, path):
    before = log(api, intent)

    response = acquire(ada, intent, f"file:{path}")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "scope")
    assert (Lease.objects.count(), log(api, intent)) == (0, before)
    with pytest.raises(InputValidationError):
        validate_lease_acquire(f"file:{path}")


@pytest.mark.rule("L-7")
@pytest.mark.parametrize("path", ["x" * 512, "a b/c.d..e", "caf\u00e9/\u6587.py", ".env", "ab:c"])
def test_path_is_kept_as_it_was_sent(ada, intent, path):
    lease = acquire(ada, intent, f"file:{path}")

    assert (lease.status_code, lease.json()["scope"]) == (201, f"file:{path}")
    validate_lease_acquire(f"file:{path}")


@pytest.mark.rule("L-3", "L-7")
def test_file_scope_guards_no_state(ada, bob, intent):
    acquire(ada, intent, "file:src")

    assert bob.post(f"/intents/{intent['id']}/state", {"state": {"file:src": 1}}, version=1).status_code == 200
