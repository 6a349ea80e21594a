"""Keys in the console: made, shown once, rotated, revoked."""

import html
import json
import logging
import re
import shlex
import tomllib
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from access.authentication import verify_key
from access.models import ApiKey, Role, Way
from access.services import create_key, revoke_key
from tests.conftest import Caller

KEYS = "access/apikey"


@pytest.fixture
def key(db):
    return create_key(name="nightly", role=Role.AGENT, agent_id="ada", created_by="dev-user")


def secret_in(page):
    return re.search(r'id="oi-secret"[^>]*value="([^"]+)"', page)[1]


def works(secret):
    return Caller(secret).get("/intents").status_code == 200


def rotated(person, key, overlap="24", name="olga"):
    return person("operator", name).post(f"{KEYS}/{key.pk}/rotate/", {"overlap": overlap})


def test_a_new_key_works_is_bound_and_ends_when_it_was_said(person):
    olga = person("operator")
    fields = {"name": "ci", "role": "agent", "agent_id": "ada", "lasts": "30"}

    answer = olga.post(f"{KEYS}/add/", fields)

    assert works(secret_in(answer.text))
    assert "no-store" in answer.headers["Cache-Control"]
    row = ApiKey.objects.get()
    assert (row.name, row.role, row.agent_id, row.created_by) == ("ci", "agent", "ada", "user:grace")
    assert abs(row.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_a_key_is_never_shown_again(person):
    olga = person("operator")
    secret = secret_in(olga.post(f"{KEYS}/add/", {"name": "ci", "role": "agent"}).text)

    for path in (f"{KEYS}/", f"{KEYS}/{ApiKey.objects.get().pk}/change/", f"{KEYS}/{ApiKey.objects.get().pk}/rotate/", ""):
        assert secret.split("_", 2)[2] not in olga.get(path).text


def test_a_chosen_day_is_the_last_one(person):
    day = (datetime.now(UTC) + timedelta(days=2)).date()

    person("operator").post(f"{KEYS}/add/", {"name": "ci", "role": "agent", "lasts": "chosen", "last_day": day.isoformat()})

    assert ApiKey.objects.get().expires_at == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


FIRST = "This is the first API key"


@pytest.mark.case("console M2")
@pytest.mark.parametrize(
    ("path", "fields"), [("add/", {"name": "ci", "role": "agent"}), ("connect/", {"agent_id": "ada", "lasts": "30"})]
)
def test_the_first_key_says_that_dev_mode_ends_and_how_to_go_on(person, path, fields):
    olga = person("operator")

    before, made = olga.get(f"{KEYS}/{path}").text, olga.post(f"{KEYS}/{path}", fields).text

    for page in (before, made):
        assert FIRST in page
        assert "OPENINTENT_DEV_MODE=true" in page
        assert "has no password" in page
        assert "openintent-manage createoperator NAME" in page
        assert 'href="/admin/password_change/">Set a password' in page
    assert FIRST not in olga.get(f"{KEYS}/{path}").text
    assert FIRST not in olga.post(f"{KEYS}/{path}", fields).text


@pytest.mark.parametrize(
    ("dev_mode", "keys"), [(False, []), (True, ["a-configured-key"])], ids=["not in dev mode", "with configured keys"]
)
def test_a_key_that_ends_nothing_says_nothing(person, settings, dev_mode, keys):
    settings.DEV_MODE, settings.API_KEYS = dev_mode, keys

    assert FIRST not in person("operator").get(f"{KEYS}/add/").text


def test_people_with_a_password_are_not_told_to_set_one(olga):
    page = olga.get(f"{KEYS}/add/").text

    assert FIRST in page
    assert "has no password" not in page


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""}, {"name": " "}, {"name": "a\x07b"}, {"name": "system"}, {"name": "x" * 101}, {"role": "king"},
        {"agent_id": "a\x00"}, {"agent_id": "system"}, {"lasts": "7000"}, {"lasts": "chosen"},
        {"lasts": "chosen", "last_day": "2020-01-01"}, {"lasts": "chosen", "last_day": "soon"},
    ],
    ids=str,
)  # fmt: skip
def test_invalid_key_is_refused_with_the_reason_at_its_field(person, fields):
    answer = person("operator").post(f"{KEYS}/add/", {"name": "ci", "role": "agent", **fields})

    assert not ApiKey.objects.exists()
    assert 'class="oi-bad"' in answer.text


def test_a_rotated_key_works_beside_the_new_one_until_its_end(person, key):
    row, secret = key

    page = rotated(person, row).text

    fresh = ApiKey.objects.exclude(pk=row.pk).get()
    assert works(secret)
    assert works(secret_in(page))
    assert (fresh.name, fresh.role, fresh.agent_id, fresh.created_by) == ("nightly", "agent", "ada", "user:olga")
    row.refresh_from_db()
    assert abs(row.expires_at - timezone.now() - timedelta(days=1)) < timedelta(minutes=1)


def test_a_key_that_is_rotated_at_once_is_at_its_end(person, key):
    row, secret = key

    new = secret_in(rotated(person, row, "0").text)

    assert (works(secret), works(new)) == (False, True)


def test_rotating_makes_no_key_last_longer(person):
    made, _ = create_key(name="short", role=Role.AGENT, created_by="x", expires_at=timezone.now() + timedelta(hours=2))

    rotated(person, made, "168")

    old, fresh = ApiKey.objects.order_by("created_at")
    assert old.expires_at == made.expires_at
    assert abs(fresh.expires_at - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1)


def test_ended_key_is_not_rotated(person, key):
    revoke_key(key_id=key[0].pk, revoked_by="test")

    answer = rotated(person, key[0])

    assert answer.url.endswith(f"/{key[0].pk}/change/")
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("role", ["viewer", "arbiter"])
def test_only_operators_rotate(person, key, role):
    someone = person(role)

    assert someone.post(f"{KEYS}/{key[0].pk}/rotate/", {"overlap": "0"}).status_code == 403
    assert "Rotate" not in someone.get(f"{KEYS}/{key[0].pk}/change/").text
    assert ApiKey.objects.count() == 1


def test_revoking_asks_first_and_leads_back(person, key):
    olga, path = person("operator"), f"/admin/{KEYS}/{key[0].pk}/change/"
    sent = {"action": "revoke", "_selected_action": [key[0].pk], "back": path}

    question = olga.post(f"{KEYS}/", sent)
    assert "lose access within seconds" in question.text
    assert ApiKey.objects.get().revoked_at is None

    assert olga.post(f"{KEYS}/", {**sent, "confirmed": "yes"}).url == path
    assert not works(key[1])


def test_the_list_says_whose_each_is_when_it_was_used_and_who_made_it(person, key):
    assert works(key[1])

    page = person("viewer").get(f"{KEYS}/").text

    assert "acts as ada only" in page
    assert re.search(r"created by <a [^>]*>dev-user", page)
    assert "used <time" in page
    assert "Create API key" not in page


def test_the_server_s_log_says_who_changed_which_key_and_never_the_key(
    person, key, api, caplog, django_capture_on_commit_callbacks
):
    row, secret = key
    with caplog.at_level(logging.INFO, "openintent.access"), django_capture_on_commit_callbacks(execute=True):
        new = secret_in(rotated(person, row).text)
        api.delete(f"/keys/{row.pk}")

    told = [(each.getMessage(), each.fields) for each in caplog.records if each.name == "openintent.access"]
    assert told == [
        ("key_rotated", {"actor": "user:olga", "subject": str(row)}),
        ("key_revoked", {"actor": "dev-user", "subject": str(row)}),
    ]
    assert not any(each.split("_", 2)[2] in str(told) for each in (secret, new))


def setting(page, client):
    found = re.search(rf'id="oi-setting-{client}">(.*?)</code>', page, re.DOTALL)[1]
    return html.unescape(found)


class TestConnect:
    def test_an_agent_gets_a_key_of_its_own_and_settings_with_it(self, person):
        answer = person("operator").post(f"{KEYS}/connect/", {"agent_id": "ada-laptop", "lasts": "90"})

        secret = secret_in(answer.text)
        assert works(secret)
        assert "no-store" in answer.headers["Cache-Control"]
        row = ApiKey.objects.get()
        assert (row.name, row.role, row.agent_id) == ("ada-laptop", "agent", "ada-laptop")
        assert abs(row.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
        header = {"X-API-Key": secret}
        codex = tomllib.loads(setting(answer.text, "codex"))["mcp_servers"]["openintent"]
        assert codex == {"url": "http://testserver/mcp", "http_headers": header}
        cursor = json.loads(setting(answer.text, "cursor"))["mcpServers"]["openintent"]
        assert cursor == {"type": "http", "url": "http://testserver/mcp", "headers": header}
        program = json.loads(setting(answer.text, "program"))["mcpServers"]["openintent"]
        assert program["env"] == {"OPENINTENT_URL": "http://testserver", "OPENINTENT_API_KEY": secret}
        assert shlex.split(setting(answer.text, "claude"))[-1] == f"X-API-Key: {secret}"

    def test_the_address_is_the_public_one(self, person, settings):
        settings.PUBLIC_URL = "https://oi.example/intents"

        answer = person("operator").post(f"{KEYS}/connect/", {"agent_id": "ada", "lasts": "never"})

        assert "https://oi.example/intents/mcp" in setting(answer.text, "claude")

    @pytest.mark.parametrize("fields", [{}, {"agent_id": " "}, {"agent_id": "a\nb"}, {"agent_id": "ada", "lasts": "1"}])
    def test_bad_input_creates_no_key(self, person, fields):
        assert person("operator").post(f"{KEYS}/connect/", fields).status_code == 200
        assert not ApiKey.objects.exists()

    @pytest.mark.parametrize("role", ["viewer", "arbiter"])
    def test_viewers_and_arbiters_create_no_key(self, person, role):
        assert person(role).post(f"{KEYS}/connect/", {"agent_id": "ada"}).status_code in (302, 403)
        assert not ApiKey.objects.exists()


def test_a_page_tells_by_which_way_a_key_was_used_last(person, key):
    row, secret = key
    verify_key(secret, {}, Way.MCP)

    assert "by MCP" in person("operator").get(f"{KEYS}/{row.pk}/change/").text
