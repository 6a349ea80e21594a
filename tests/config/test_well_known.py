"""Endpoints without a key: discovery, OpenAPI document, documentation and health."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.db.utils import OperationalError

from config import health
from core.version import installed_version
from intents import triggers

OPEN = [
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
    "/problems/not_found",
    "/.well-known/openintent.json",
    "/.well-known/openintent-compat.json",
]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", OPEN)
def test_well_known_documents_need_no_key_and_accept_head(client, path):
    got, headed = client.get(path), client.head(path)

    assert (got.status_code, headed.status_code) == (200, 200)
    assert headed.content == b""
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize("path", OPEN)
def test_a_wrong_key_is_nobodys_business_there(client, path):
    assert client.get(path, headers={"X-API-Key": "guess"}).status_code == 200


def test_head_of_an_intent_has_its_version(api, make_intent):
    response = api.send("HEAD", f"/intents/{make_intent()['id']}")

    assert (response.status_code, response.headers["ETag"], response.content) == (200, '"1"', b"")


def test_the_server_says_what_it_speaks(client, settings):
    found = client.get("/.well-known/openintent.json").json()

    assert (found["protocol"], found["api_base"]) == ("openintent", "/api/v1")
    assert found["server"]["version"] == installed_version()
    assert {"RFC-0001", "RFC-0002", "RFC-0008"} <= found["rfcs"].keys()
    assert found["limits"]["body_bytes"] == settings.MAX_BODY
    assert all(client.get(link).status_code == 200 for link in found["links"].values())


def test_the_server_says_what_it_is_compatible_with(client):
    found = client.get("/.well-known/openintent-compat.json").json()

    assert found["api_versions"] == ["v1"]
    assert found["features"]["optimistic_concurrency"] is True


def test_a_process_that_is_up_says_so(client):
    assert client.get("/healthz").json() == {"status": "ok", "version": installed_version()}


def test_a_server_that_can_work_says_so(client):
    response = client.get("/readyz")

    assert response.json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok", "log_guard": "ok"}}


def test_without_its_database_it_cannot(client, monkeypatch):
    def away():
        raise OperationalError("connection refused")

    monkeypatch.setattr(health.connection, "cursor", away, raising=False)
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "unreachable", "migrations": "unknown", "log_guard": "unknown"}
    assert client.get("/healthz").status_code == 200


def test_nor_with_migrations_to_come(client, monkeypatch):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["one"])

    response = client.get("/readyz")

    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "pending")


def test_nor_without_the_guard_of_the_log(client, monkeypatch):
    monkeypatch.setattr(triggers, "check", lambda: ["missing"])

    response = client.get("/readyz")

    assert (response.status_code, response.json()["checks"]["log_guard"]) == (503, "missing")


@pytest.mark.parametrize(("path", "leads_to"), [("/", "/docs"), ("/admin", "/admin/")])
def test_the_roots_lead_on(client, path, leads_to):
    assert client.get(path).headers["Location"] == leads_to


REFERENCE = re.compile(r"""(?:src|href|action)\s*=\s*["']([^"']+)|url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
PAGE = {"Accept": "text/html"}


def references(text):
    return {next(filter(None, found)) for found in REFERENCE.findall(text)}


@pytest.mark.parametrize("path", ["/docs", "/problems/not_found", "/admin/login/"])
def test_pages_load_from_this_server_alone(client, path):
    page = client.get(path, headers=PAGE)
    loaded = re.findall(r"""<(?:script|link|img)[^>]*?(?:src|href)=["']([^"']+)""", page.text)

    assert page.status_code == 200
    assert loaded
    for reference in loaded:
        assert reference.startswith(("/static/", "data:")), reference
        if reference.endswith(".css"):
            with open(finders.find(reference.removeprefix("/static/"))) as file:
                assert not [each for each in references(file.read()) if re.match(r"(https?:)?//", each)]


@pytest.mark.parametrize("path", ["/docs", "/problems/not_found"])
def test_our_pages_may_load_nothing_else(client, path):
    policy = client.get(path, headers=PAGE).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'")
    assert "http" not in policy


def test_answers_are_not_sniffed(client):
    assert client.get("/docs").headers["X-Content-Type-Options"] == "nosniff"
