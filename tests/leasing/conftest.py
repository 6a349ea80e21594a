"""Helpers and fixtures of leases."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from leasing.held_leases import repeat
from leasing.models import Lease
from tests.conftest import Caller


def acquire(caller: Caller, intent: dict[str, Any], scope: str = "flights", **fields: Any) -> Any:
    return caller.post(f"/intents/{intent['id']}/leases", {"scope": scope, **fields})


def make_overdue(lease: dict[str, Any]) -> None:
    """Move the lease into the past by the database's clock."""
    row = Lease.objects.select_related("intent").get(pk=lease["id"])
    age = row.expires_at - row.acquired_at + timedelta(seconds=1)
    row.acquired_at, row.expires_at = row.acquired_at - age, row.expires_at - age
    row.save()
    repeat(row.intent, row, more=0)
    row.intent.save()


@pytest.fixture
def intent(make_intent: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_intent(state={"flights": {"seat": None}, "hotel": {}})


@pytest.fixture
def ada(agent: Callable[[str], Caller]) -> Caller:
    return agent("ada")


@pytest.fixture
def bob(agent: Callable[[str], Caller]) -> Caller:
    return agent("bob")
