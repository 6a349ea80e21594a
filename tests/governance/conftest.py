"""Helpers and fixtures of arbitrations, decisions and delegations."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from access.models import Role
from access.services import create_key
from governance.models import Arbitration, Decision, Delegation
from intents.models import Event, Intent
from tests.conftest import Caller

LATER = "2999-01-01T00:00:00Z"


def post_arbitration(caller: Caller, intent: dict[str, Any], **fields: Any) -> Any:
    return caller.post(f"/intents/{intent['id']}/arbitrate", {"reason": "We disagree", **fields})


def make_arbitration(caller: Caller, intent: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = post_arbitration(caller, intent, **fields)
    assert response.status_code == 201, response.json()
    return response.json()  # type: ignore[no-any-return]


def decide(caller: Caller, intent: dict[str, Any], decision: str = "a", **fields: Any) -> Any:
    return caller.post(f"/intents/{intent['id']}/decisions", {"decision": decision, **fields})


def make_delegation(caller: Caller, to: str, **fields: Any) -> dict[str, Any]:
    response = caller.post("/delegations", {"delegate": to, **fields})
    assert response.status_code == 201, response.json()
    return response.json()  # type: ignore[no-any-return]


def make_overdue(model: Any, made: dict[str, Any]) -> None:
    """Move the object into the past by the database's clock."""
    age = timedelta(days=400_000)
    model.objects.filter(pk=made["id"]).update(created_at=F("created_at") - age / 800, expires_at=F("created_at") - age / 1600)


def database_rows() -> list[Any]:
    """Return the rows that a refused request must not change."""
    return [list(model.objects.order_by("pk").values()) for model in (Arbitration, Decision, Delegation, Intent, Event)]


@pytest.fixture
def arbiter(db: None) -> Callable[[str], Caller]:
    """`arbiter("judy")`: a caller with a key of that role, which acts as judy."""

    def make(name: str) -> Caller:
        _, secret = create_key(name="court", role=Role.ARBITER, created_by="test")
        return Caller(secret, name)

    return make


@pytest.fixture
def bound(db: None) -> Callable[..., Caller]:
    """`bound("bob")`: a caller with a key that is bound to bob; of the role agent, or another."""

    def make(name: str, role: Role = Role.AGENT) -> Caller:
        return Caller(create_key(name=name, role=role, agent_id=name, created_by="test")[1])

    return make


@pytest.fixture
def ada(agent: Callable[[str], Caller]) -> Caller:
    return agent("ada")


@pytest.fixture
def bob(bound: Callable[..., Caller]) -> Caller:
    """A caller of another principal than ada's, with a key of its own."""
    return bound("bob")


@pytest.fixture
def judy(arbiter: Callable[[str], Caller]) -> Caller:
    return arbiter("judy")


@pytest.fixture
def intent(make_intent: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_intent()
