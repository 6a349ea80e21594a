"""Keys: made, listed and revoked over the API; shown once."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from access import key_lookup
from access.models import ApiKey
from core.db import database_now
from core.models import IdempotentResponse
from tests.conftest import Caller, log

pytestmark = pytest.mark.database("sqlite", "postgresql")


def used(secret):
    return Caller(secret).get("/intents").status_code


def test_a_key_is_shown_once_and_works(api, make_key):
    made = make_key("agent", name="nightly", agent_id="ada")

    assert re.fullmatch(r"oi_[0-9a-f]{8}_[\w-]{43}", made["key"])
    assert made["key"].startswith(made["prefix"])
    assert (made["name"], made["role"], made["agent_id"], made["created_by"]) == ("nightly", "agent", "ada", "dev-user")
    assert (made["expires_at"], made["last_used_at"], made["revoked_at"]) == (None, None, None)
    assert used(made["key"]) == 200
    [listed] = api.get("/keys").json()["keys"]
    assert listed == {**{name: value for name, value in made.items() if name != "key"}, "last_used_at": listed["last_used_at"]}


def test_the_answer_with_the_key_is_kept_by_nobody(api):
    response = api.post("/keys", {"name": "ci", "role": "agent"})

    assert response.headers["Cache-Control"] == "no-store"


def test_the_key_itself_stands_in_no_column(make_key):
    secret = make_key()["key"]

    [row] = ApiKey.objects.values()
    assert secret not in str(row)
    assert row["digest"] == key_lookup.digest(secret)


def test_repeating_the_creation_does_not_reveal_the_key(api):
    wanted = {"name": "ci", "role": "agent"}
    first = api.post("/keys", wanted, idempotency_key="k1")

    again = api.post("/keys", wanted, idempotency_key="k1")

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "key": None}
    assert ApiKey.objects.count() == 1
    assert first.json()["key"] not in str(IdempotentResponse.objects.values())


def test_a_key_stands_in_no_event_and_no_answer(api, caller, make_intent):
    someone = caller("operator")
    secret = someone.headers["X-API-Key"]

    intent = someone.post("/intents", {"title": "Do it"}).json()
    answers = [
        someone.get(path).content for path in ("/keys", "/events", f"/intents/{intent['id']}", f"/intents/{intent['id']}/events")
    ]
    answers.append(someone.post("/intents", {"titel": secret[:3]}).content)

    assert log(api, intent) == [("intent_created", "an operator")]
    assert not any(secret.encode() in answer for answer in answers)


def test_a_revoked_key_is_refused_at_once(api, make_key, django_capture_on_commit_callbacks):
    made = make_key()
    assert used(made["key"]) == 200

    with django_capture_on_commit_callbacks(execute=True):
        response = api.delete(f"/keys/{made['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert used(made["key"]) == 401
    assert api.get("/keys").json()["keys"][0]["revoked_at"]


def test_revoking_again_changes_nothing(api, make_key):
    made = make_key()
    api.delete(f"/keys/{made['id']}")
    before = ApiKey.objects.values().get()

    assert api.delete(f"/keys/{made['id']}").status_code == 204

    assert ApiKey.objects.values().get() == before


def test_a_key_ends_when_it_expires(make_key):
    in_an_hour = (database_now() + timedelta(hours=1)).isoformat()
    made = make_key(expires_at=in_an_hour)
    assert used(made["key"]) == 200

    ApiKey.objects.update(expires_at=database_now())
    key_lookup.clear_verified_keys()

    assert used(made["key"]) == 401


@pytest.mark.rule("E-8")
def test_a_key_is_remembered_no_longer_than_it_lasts(make_key):
    made = make_key()
    ApiKey.objects.update(expires_at=database_now() + timedelta(seconds=2))

    assert used(made["key"]) == 200

    assert key_lookup._cache[key_lookup.digest(made["key"])].until - key_lookup.monotonic() <= 2


@pytest.mark.rule("E-8")
def test_a_key_that_has_ended_stays_so_where_the_clock_is_set_back(make_key, monkeypatch):
    made = make_key(expires_at=(database_now() + timedelta(minutes=1)).isoformat())
    monkeypatch.setattr(key_lookup, "_newest", database_now() + timedelta(seconds=90))  # What the database said before.

    assert used(made["key"]) == 401


def test_an_expiry_without_an_offset_is_in_utc(make_key):
    assert make_key(expires_at="2099-01-31T12:00:00")["expires_at"] == "2099-01-31T12:00:00.000000Z"
    assert make_key(expires_at="2099-01-31T12:00:00+02:00")["expires_at"] == "2099-01-31T10:00:00.000000Z"


def test_use_is_noted(api, make_key):
    made = make_key()
    used(made["key"])

    first = api.get("/keys").json()["keys"][0]["last_used_at"]
    used(made["key"])

    assert first >= made["created_at"]
    assert api.get("/keys").json()["keys"][0]["last_used_at"] == first  # Not at every request: that would be a write for each.


def test_use_is_noted_again_after_a_while(make_key):
    made = make_key()
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(hours=1))

    used(made["key"])

    assert timezone.now() - ApiKey.objects.get().last_used_at < timedelta(minutes=1)


def test_a_known_key_costs_no_query(make_key, django_assert_num_queries):
    someone = Caller(make_key()["key"])
    someone.get("/intents/no-id")

    with django_assert_num_queries(0):
        assert someone.get("/intents/no-id").status_code == 404


def test_revocation_reaches_other_processes_within_five_seconds(make_key, monkeypatch):
    made = make_key()
    assert used(made["key"]) == 200
    ApiKey.objects.update(revoked_at=timezone.now())  # As another process does it: nothing tells this one.
    assert used(made["key"]) == 200
    later = key_lookup.monotonic() + 5

    monkeypatch.setattr(key_lookup, "monotonic", lambda: later)

    assert used(made["key"]) == 401


def test_cache_of_keys_is_bounded(make_key, monkeypatch):
    monkeypatch.setattr(key_lookup, "CACHE_SIZE", 2)

    for _ in range(5):
        assert used(make_key()["key"]) == 200

    assert len(key_lookup._cache) <= 2


@pytest.mark.parametrize("header", ["X-API-Key", "x-api-key"])
def test_the_key_comes_in_its_header(client, db, header):
    assert client.get("/api/v1/intents", headers={"Host": "localhost", header: "dev-user-key"}).status_code == 200


@pytest.mark.parametrize("value", ["Bearer dev-user-key", "bearer dev-user-key", "Bearer  dev-user-key "])
def test_the_key_comes_as_a_bearer_token(client, db, value):
    assert client.get("/api/v1/intents", headers={"Host": "localhost", "Authorization": value}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "dev-user-key"}, {"Authorization": "Basic ZGV2OmRldg=="}, {"X-API-Key": " "}]
)
def test_without_a_key_nobody_is_served(client, db, headers):
    response = client.get("/api/v1/intents", headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="openintent"'


@pytest.mark.parametrize("key", ["dev-user-key", "agent-research-key", "agent-synth-key"])
def test_outside_dev_mode_the_well_known_keys_are_refused(db, settings, key):
    assert used(key) == 200
    settings.DEV_MODE = False
    key_lookup.clear_verified_keys()

    assert used(key) == 401


def test_configured_keys_are_operators_and_unbound(db, settings):
    settings.API_KEYS = ["from-the-command-line"]
    someone = Caller("from-the-command-line", "ada")

    assert someone.get("/keys").status_code == 200
    assert someone.post("/intents", {"title": "Do it"}).json()["created_by"] == "ada"
