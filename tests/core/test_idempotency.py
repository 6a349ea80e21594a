"""A POST that is sent again with its Idempotency-Key (protocol §1 "Idempotency")."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
import requests
from django.db import transaction
from django.utils import timezone

from access.models import ApiKey
from core.api import idempotency
from core.models import IdempotentResponse
from intents.models import Event, Intent
from tests.conftest import Caller, fresh
from tests.databases import migrated_database
from tests.servers import Server

pytestmark = pytest.mark.database("sqlite", "postgresql")


TWENTY = 20


def create(api, key="k1", title="Do it", **headers):
    return api.post("/intents", {"title": title}, idempotency_key=key, **headers)


def test_the_first_answer_comes_again_and_nothing_else_happens(api):
    first, again = create(api), create(api)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert [again.headers[name] for name in ("ETag", "Location", "Content-Type")] == [
        first.headers[name] for name in ("ETag", "Location", "Content-Type")
    ]
    assert (Intent.objects.count(), Event.objects.count()) == (1, 1)


@pytest.mark.parametrize("operation", ["state", "status", "children", "events", "events/batch", "agents", "dependencies"])
def test_every_post_can_be_sent_again(api, make_intent, operation):
    intent, other = make_intent(), make_intent()
    body = {
        "state": {"patches": [{"op": "append", "path": "log", "value": 1}]},
        "status": {"status": "active"},
        "children": {"title": "A part"},
        "events": {"event_type": "comment"},
        "events/batch": {"events": [{"event_type": "comment"}]},
        "agents": {"agent_id": "ada"},
        "dependencies": {"depends_on": other["id"]},
    }[operation]
    path = f"/intents/{intent['id']}/{operation}"

    first = api.post(path, body, version=1, idempotency_key="k1")
    events = Event.objects.count()
    again = api.post(path, body, version=1, idempotency_key="k1")

    assert first.status_code in (200, 201)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Event.objects.count() == events


def test_different_request_with_the_same_key_is_refused(api):
    create(api)

    response = create(api, title="Something else")

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert Intent.objects.count() == 1


def test_the_key_at_another_address_or_version_is_refused(api, make_intent):
    one, two = make_intent(), make_intent()
    api.post(f"/intents/{one['id']}/state", {"state": {"a": 1}}, version=1, idempotency_key="k1")

    elsewhere = api.post(f"/intents/{two['id']}/state", {"state": {"a": 1}}, version=1, idempotency_key="k1")
    later = api.post(f"/intents/{one['id']}/state", {"state": {"a": 1}}, version=2, idempotency_key="k1")

    assert (elsewhere.status_code, later.status_code) == (422, 422)


def test_each_caller_has_keys_of_its_own(api, agent):
    answers = [create(api), create(agent("ada")), create(agent("bob")), create(Caller("agent-synth-key", "ada"))]

    assert len({answer.json()["id"] for answer in answers}) == 4
    assert not any("Idempotency-Replayed" in answer.headers for answer in answers)


@pytest.mark.parametrize("path", ["/intents", "/keys"])
def test_a_refusal_is_not_kept(api, path):
    refused = api.post(path, {}, idempotency_key="k1")

    accepted = api.post(path, {"title": "Do it"} if path == "/intents" else {"name": "ci", "role": "agent"}, idempotency_key="k1")

    assert (refused.status_code, accepted.status_code) == (400, 201)


def test_a_refusal_of_the_verb_is_not_kept_either(api, make_intent):
    path = f"/intents/{make_intent()['id']}/state"
    refused = api.post(path, {"state": {"a": 1}}, version=2, idempotency_key="k1")
    assert refused.status_code == 409
    api.post(path, {"state": {"b": 1}}, version=1)

    accepted = api.post(path, {"state": {"a": 1}}, version=2, idempotency_key="k1")

    assert accepted.json()["state"] == {"b": 1, "a": 1}


def test_reads_and_patches_take_no_notice_of_a_key(api, make_intent):
    intent = make_intent()

    answers = [
        api.patch(f"/intents/{intent['id']}", {"title": "New"}, version=version, idempotency_key="k1") for version in (1, 2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert fresh(api, intent)["version"] == 3


def test_after_a_day_the_key_is_free_again(api):
    first = create(api)
    IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))

    second = create(api)

    assert first.json()["id"] != second.json()["id"]
    assert IdempotentResponse.objects.count() == 1


def test_until_then_it_is_kept(api):
    first = create(api)
    IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))

    assert create(api).json() == first.json()


def test_old_answers_can_be_swept(api):
    create(api, "old")
    IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(days=2))
    create(api, "new")

    assert idempotency.delete_expired_responses() == 1
    assert IdempotentResponse.objects.get().key == "new"


@pytest.mark.rule("I-1")
def test_an_answer_that_cannot_be_kept_undoes_the_write(api, monkeypatch):
    monkeypatch.setattr(idempotency, "_store", lambda *args: 1 / 0)

    with transaction.atomic():  # Stands for the request's own, within that of the test.
        response = create(api)

    assert response.status_code == 500
    assert (Intent.objects.count(), Event.objects.count(), IdempotentResponse.objects.count()) == (0, 0, 0)


def test_no_secret_is_kept(api):
    response = api.post("/keys", {"name": "ci", "role": "agent"}, idempotency_key="k1")

    assert response.json()["key"] not in str(IdempotentResponse.objects.values().get())
    assert ApiKey.objects.count() == 1


def test_no_secret_is_added_to_a_response_that_has_none(api):
    channel = api.post("/channels", {"name": "Team", "kind": "email", "target": "team@example.com"}).json()

    first, again = (api.post(f"/channels/{channel['id']}/test", idempotency_key="k1") for _ in range(2))

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()


def test_of_many_equal_requests_at_once_one_writes(vendor, tmp_path):
    """Two processes (one on SQLite), twenty requests, ten rounds: one intent each, and nobody hears anything else."""
    database = migrated_database(vendor, tmp_path)
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(database)) for _ in range(2 if vendor == "postgresql" else 1)]

        def send(number, key):
            return requests.post(
                f"{servers[number % len(servers)].api}/intents",
                json={"title": key},
                headers={"X-API-Key": "dev-user-key", "Idempotency-Key": key},
                timeout=30,
            )

        with ThreadPoolExecutor(TWENTY) as pool:
            for round in range(10):
                answers = list(pool.map(lambda number, key=f"round {round}": send(number, key), range(TWENTY)))

                statuses = Counter(answer.status_code for answer in answers)
                assert statuses.keys() <= {201, 409}, statuses
                assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"request_in_progress"}
                assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
                assert sum("Idempotency-Replayed" not in answer.headers for answer in answers if answer.status_code == 201) == 1

        listed = requests.get(f"{servers[0].api}/intents", headers={"X-API-Key": "dev-user-key"}, timeout=30).json()["intents"]
        assert sorted(each["title"] for each in listed) == sorted(f"round {round}" for round in range(10))
