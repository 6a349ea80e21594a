"""Helpers and fixtures of retry policies and failures."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.db import database_now
from retries.models import Failure
from tests.conftest import Caller

NOWHERE = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"


@pytest.fixture
def set_policy(api: Caller) -> Callable[..., dict[str, Any]]:
    """`set_policy(intent, max_attempts=5)`: without jitter by default."""

    def set_policy(intent: dict[str, Any], **policy: Any) -> dict[str, Any]:
        response = api.send("PUT", f"/intents/{intent['id']}/retry-policy", {"jitter": False, **policy})
        assert response.status_code == 200, response.json()
        return response.json()  # type: ignore[no-any-return]

    return set_policy


@pytest.fixture
def fail(agent: Callable[[str], Caller]) -> Callable[..., dict[str, Any]]:
    """`fail(intent, "ada", attempt=2)`: ada's attempt fails."""

    def fail(intent: dict[str, Any], name: str = "ada", error_type: str = "timeout", **fields: Any) -> dict[str, Any]:
        response = agent(name).post(f"/intents/{intent['id']}/failures", {"error_type": error_type, **fields})
        assert response.status_code == 201, response.json()
        return response.json()  # type: ignore[no-any-return]

    return fail


def events(api: Caller, intent: dict[str, Any], event_type: str) -> list[dict[str, Any]]:
    """Return the payloads of the intent's events of that type."""
    found = api.get(f"/intents/{intent['id']}/events", event_type=event_type, limit=1000).json()["events"]
    return [event["payload"] for event in found]


def make_due(failure: dict[str, Any]) -> None:
    """Move the failure's retry a second into the past."""
    assert Failure.objects.filter(pk=failure["id"]).update(retry_at=database_now() - timedelta(seconds=1))
