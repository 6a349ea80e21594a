"""Leases, as agents take them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from leasing.models import Lease
from tests.conftest import Caller


def acquire(caller: Caller, intent: dict[str, Any], scope: str = "flights", **fields: Any) -> Any:
    return caller.post(f"/intents/{intent['id']}/leases", {"scope": scope, **fields})


def make_overdue(lease: dict[str, Any]) -> None:
    """Let a lease's time be over, as the database's clock sees it."""
    row = Lease.objects.get(pk=lease["id"])
    for_how_long = row.expires_at - row.acquired_at + timedelta(seconds=1)
    Lease.objects.filter(pk=row.pk).update(acquired_at=row.acquired_at - for_how_long, expires_at=row.expires_at - for_how_long)


@pytest.fixture
def intent(make_intent: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_intent(state={"flights": {"seat": None}, "hotel": {}})


@pytest.fixture
def ada(agent: Callable[[str], Caller]) -> Caller:
    return agent("ada")


@pytest.fixture
def bob(agent: Callable[[str], Caller]) -> Caller:
    return agent("bob")
