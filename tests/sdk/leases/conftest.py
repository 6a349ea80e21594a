"""Ada, who holds leases, and bob, who wants the same scopes, at the shared server."""

from collections.abc import Iterator
from typing import Any

import pytest
from openintent import AsyncOpenIntentClient, Intent, Lease, OpenIntentClient


def connect(server: Any, agent: str) -> OpenIntentClient:
    return OpenIntentClient(server.url, api_key="agent-research-key", agent_id=agent)


def connect_async(server: Any, agent: str = "ada") -> AsyncOpenIntentClient:
    return AsyncOpenIntentClient(server.url, api_key="agent-research-key", agent_id=agent)


@pytest.fixture
def ada(server: Any) -> Iterator[OpenIntentClient]:
    with connect(server, "ada") as client:
        yield client


@pytest.fixture
def bob(server: Any) -> Iterator[OpenIntentClient]:
    with connect(server, "bob") as client:
        yield client


@pytest.fixture
def intent(ada: OpenIntentClient) -> Intent:
    return ada.create_intent(title="Book flights", state={"content": {}})


def revoke(server: Any, lease: Lease, reason: str | None = None) -> None:
    with OpenIntentClient(server.url, api_key="dev-user-key") as operator:
        operator.revoke_lease(lease.intent_id, lease.id, reason)


def lease_of(client: OpenIntentClient, intent: Intent) -> Lease:
    """Return the only active lease of the intent."""
    [lease] = client.get_leases(intent.id)
    return lease


def statuses(client: OpenIntentClient, intent: Intent) -> list[str]:
    """Return the statuses of all leases of the intent."""
    return [lease.status for lease in client.get_leases(intent.id, status=None)]


def event_types(client: OpenIntentClient, intent: Intent) -> list[str]:
    return [event.event_type for event in client.get_events(intent.id)]
