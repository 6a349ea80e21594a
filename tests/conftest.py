"""Shared fixtures: callers of the API, factories of its objects, a running server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import transaction
from django.test import Client
from django.test.client import ClientHandler

from access import key_guesses, key_lookup
from core.api import throttling
from core.serving.wsgi_handler import ShortPathMixin
from tests.clients import packages
from tests.databases import migrated_database
from tests.docs.built_site import build_site
from tests.servers import Server
from tests.wheels import build_wheel, install_wheel

API = "/api/v1"

Server.forked = True


class Handler(ShortPathMixin, ClientHandler):
    """The test client's handler, with the server's own path of a request."""


HANDLER = Handler(enforce_csrf_checks=False)
"""One for all callers: each of its own would look through all static files as its middleware is loaded."""


class Caller:
    """A client of the API inside this process, with its key and its agent."""

    def __init__(self, key: str = "dev-user-key", agent: str | None = None) -> None:
        self.client = Client(raise_request_exception=False, headers={"Host": "localhost"})
        self.client.handler = HANDLER
        self.headers = {"X-API-Key": key, **({"X-Agent-ID": agent} if agent else {})}

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(API + path, query, headers=self.headers)

    def post(self, path: str, body: Any = None, *, version: int | None = None, **headers: str) -> Any:
        return self.send("POST", path, body, version=version, **headers)

    def patch(self, path: str, body: Any = None, *, version: int | None = None, **headers: str) -> Any:
        return self.send("PATCH", path, body, version=version, **headers)

    def delete(self, path: str, *, version: int | None = None, **headers: str) -> Any:
        return self.send("DELETE", path, version=version, **headers)

    def send(self, method: str, path: str, body: Any = None, *, version: int | None = None, **headers: str) -> Any:
        """`headers` are keyword arguments: `idempotency_key=` becomes Idempotency-Key."""
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        if version is not None:
            named["If-Match"] = str(version)
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        with transaction.atomic():  # A test is one transaction: what a refusal undoes must end at its own request.
            return self.client.generic(method, API + path, data, "application/json", headers={**self.headers, **named})


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Clear what a process caches between requests."""
    key_lookup.clear_verified_keys()
    key_guesses._throttled.clear()
    throttling.memory_store.clear()


@pytest.fixture
def api(db: None) -> Caller:
    """An operator."""
    return Caller()


@pytest.fixture
def agent(db: None) -> Callable[[str], Caller]:
    """`agent("ada")`: a caller that acts as ada."""
    return lambda name: Caller("agent-research-key", name)


@pytest.fixture
def make_intent(api: Caller) -> Callable[..., dict[str, Any]]:
    """`make_intent(title=…, depends_on=[…], status="active")`: an intent, brought into that status."""

    def make(*, status: str | None = None, **fields: Any) -> dict[str, Any]:
        intent = api.post("/intents", {"title": "Something to do", **fields}).json()
        assert "id" in intent, intent
        return set_status(api, intent, status) if status else intent

    return make


def set_status(api: Caller, intent: dict[str, Any], status: str, **fields: Any) -> dict[str, Any]:
    response = api.post(f"/intents/{intent['id']}/status", {"status": status, **fields}, version=fresh(api, intent)["version"])
    assert response.status_code == 200, response.json()
    return response.json()  # type: ignore[no-any-return]


def fresh(api: Caller, intent: dict[str, Any] | str | UUID) -> dict[str, Any]:
    """The intent as it is now."""
    pk = intent["id"] if isinstance(intent, dict) else intent
    return api.get(f"/intents/{pk}").json()  # type: ignore[no-any-return]


def log(api: Caller, intent: dict[str, Any]) -> list[tuple[str, str]]:
    """The intent's log as (type, actor)."""
    events = api.get(f"/intents/{intent['id']}/events", limit=1000).json()["events"]
    return [(event["event_type"], event["actor"]) for event in events]


@pytest.fixture(scope="session")
def server(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in dev mode with a database of its own, shared by the tests that only need one."""
    with Server(migrated_database(vendor, tmp_path_factory.mktemp("server"))) as running:
        yield running


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution as `pip install .` builds it."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment into which the wheel is installed, with all extras."""
    return install_wheel(wheel, tmp_path_factory.mktemp("installed") / "venv")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the documentation, as `make docs` builds it; for all processes that share a run, the same."""
    own = tmp_path_factory.getbasetemp()
    return build_site(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The npm packages of tests/clients. Tests that need them have the marker `npm` (tests/pytest_plugin.py), and fail without the registry."""
    return packages.installed()
