"""Questions and decisions, as agents and people have them."""

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


def ask(caller: Caller, intent: dict[str, Any], **fields: Any) -> Any:
    return caller.post(f"/intents/{intent['id']}/arbitrate", {"reason": "We disagree", **fields})


def asked(caller: Caller, intent: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = ask(caller, intent, **fields)
    assert response.status_code == 201, response.json()
    return response.json()  # type: ignore[no-any-return]


def decide(caller: Caller, intent: dict[str, Any], decision: str = "a", **fields: Any) -> Any:
    return caller.post(f"/intents/{intent['id']}/decisions", {"decision": decision, **fields})


def delegate(caller: Caller, to: str, **fields: Any) -> dict[str, Any]:
    response = caller.post("/delegations", {"delegate": to, **fields})
    assert response.status_code == 201, response.json()
    return response.json()  # type: ignore[no-any-return]


def let_run_out(model: Any, made: dict[str, Any]) -> None:
    """Move it into the past, so that its time is over as the database's clock sees it."""
    age = timedelta(days=400_000)
    model.objects.filter(pk=made["id"]).update(created_at=F("created_at") - age / 800, expires_at=F("created_at") - age / 1600)


def rows() -> list[Any]:
    """All that a refusal leaves alone."""
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
    """Another principal than ada's, with a key of its own."""
    return bound("bob")


@pytest.fixture
def judy(arbiter: Callable[[str], Caller]) -> Caller:
    return arbiter("judy")


@pytest.fixture
def intent(make_intent: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_intent()
