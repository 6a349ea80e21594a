"""Errors: one shape everywhere, also where nothing of ours answers (protocol §2)."""

import logging

import pytest
from django.db import transaction
from django.db.utils import OperationalError

from core.errors import ProtocolError
from intents import services
from intents.models import Event, Intent

PAGES = ("/healthz", "/readyz", "/openapi.json", "/docs", "/problems/not_found", "/.well-known/openintent.json")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api", "/api/v2/intents", "/api/v1/", "/problems/unheard_of", "/static/nowhere.css", "/%00"]
)
def test_where_nothing_is_the_answer_is_a_problem(client, path):
    response = client.get(path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_wrong_method_is_a_problem_that_lists_the_allowed_ones(client, path, method):
    response = getattr(client, method)(path)

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD"


def test_allow_lists_exactly_what_an_address_takes(api):
    response = api.send("OPTIONS", "/intents")

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


@pytest.fixture
def broken_verb(monkeypatch):
    """Creating an intent writes it, and then fails in a way that nobody foresaw."""

    def fail(*args, **kwargs):
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr(services, "record_limits", fail)


def test_the_unforeseen_is_a_500_with_its_traceback_in_the_log_alone(api, broken_verb, caplog):
    response = api.post("/intents", {"title": "Do it"}, x_request_id="find-me")

    problem = response.json()
    assert (response.status_code, problem["code"], problem["request_id"]) == (500, "internal", "find-me")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in response.text
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "the secret of the house" in caplog.text
    assert record.exc_info


@pytest.mark.rule("I-1")
def test_after_the_unforeseen_nothing_is_written(broken_verb, api):
    with transaction.atomic():  # Stands for the request's own, within that of the test.
        api.post("/intents", {"title": "Do it"})

    assert (Intent.objects.count(), Event.objects.count()) == (0, 0)


def test_a_failure_outside_of_the_api_is_a_problem_too(client, monkeypatch):
    monkeypatch.setattr("config.docs_views.description", lambda: 1 / 0)
    client.raise_request_exception = False

    response = client.get("/openapi.json")

    assert (response.status_code, response.json()["code"]) == (500, "internal")


def test_a_database_that_fails_is_unavailable(api, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(services, "record_limits", away)

    response = api.post("/intents", {"title": "Do it"})

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize("code", sorted(ProtocolError.catalogue))
def test_each_problem_is_explained_to_programs(client, code):
    explained = client.get(f"/problems/{code}").json()

    assert explained["type"] == f"/problems/{code}"
    assert (explained["code"], explained["status"]) == (code, ProtocolError.catalogue[code].status)
    assert explained["title"]
    assert len(explained["explanation"]) > 40
    assert not explained["explanation"].startswith("Common base class")


@pytest.mark.parametrize("code", sorted(ProtocolError.catalogue))
def test_each_problem_is_explained_to_people(client, code):
    response = client.get(f"/problems/{code}", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1>{ProtocolError.catalogue[code].title}</h1>" in response.text


@pytest.mark.parametrize(
    "code", ["version_conflict", "illegal_transition", "not_found", "idempotency_key_reused", "rate_limited"]
)
def test_the_catalogue_has_the_codes_of_the_protocol(code):
    assert code in ProtocolError.catalogue
