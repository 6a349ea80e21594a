"""Agents in this process, at the shared server; each test has agents of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from openintent import Agent, BaseAgent, Intent, IntentSpec, OpenIntentClient, PortfolioSpec

from tests.system.concurrent_clients import until


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    """Let agents find the server by the environment, as programs do."""
    for name in [each for each in os.environ if each.startswith("OPENINTENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENINTENT_URL", server.url)


@pytest.fixture
def name() -> str:
    """Return a unique agent id."""
    return f"agent-{uuid4().hex[:12]}"


@pytest.fixture
def operator(server: Any) -> Iterator["OperatorClient"]:
    with OperatorClient(server.url, "dev-user-key", "boss") as client:
        yield client


@pytest.fixture
def start_agent() -> Iterator[Callable[..., Any]]:
    """Return `start_agent(agent)`: it starts the agent, which is stopped at the end of the test."""
    with ExitStack() as stack:

        def start_agent(agent: BaseAgent, **arguments: Any) -> Any:
            agent.start(**arguments)
            stack.callback(agent.stop)
            return agent

        yield start_agent


class OperatorClient(OpenIntentClient):
    """A client that assigns intents and waits for their progress."""

    def create_assigned(self, agent_id: str, title: str = "Something to do", **fields: Any) -> Intent:
        return self.create_intent(title, assign=agent_id, **fields)

    def move_to(self, intent: Intent, status: str) -> Intent:
        """Set the status at the current version, without expecting concurrent writers."""
        return self.set_status(intent.id, self.get_intent(intent.id).version, status)

    def wait_for_status(self, intent: Intent, status: str) -> Intent:
        """Wait until the intent has the status, and return it."""
        found: Intent = until(lambda: (now := self.get_intent(intent.id)).status == status and now, f"{intent.title} {status}")
        return found

    def wait_for_events(self, intent: Intent, event_type: str, count: int = 1) -> list[Any]:
        """Wait for so many events of the type, and return them."""
        found: list[Any] = until(
            lambda: len(found := self.get_events(intent.id, event_type=event_type)) >= count and found, event_type
        )
        return found

    def event_types(self, intent: Intent) -> list[str]:
        return [str(event.event_type) for event in self.get_events(intent.id)]

    def wait_for_children(self, intent: Intent, count: int) -> list[Intent]:
        """Wait for so many children, and return them."""
        found: list[Intent] = until(lambda: len(found := self.get_children(intent.id)) == count and found, "children")
        return found


@pytest.fixture
def spec(name: str) -> PortfolioSpec:
    """Two intents, of which the second waits for the first, for the agents `…-flights` and `…-hotels`."""
    return PortfolioSpec(
        f"Trip of {name}",
        [
            IntentSpec("Book hotel", assign=f"{name}-hotels", depends_on=["Book flights"], priority=1),
            IntentSpec("Book flights", assign=f"{name}-flights", state={"seats": 2}, role="primary"),
        ],
        governance_policy={"require_all_completed": True},
        metadata={"season": "spring"},
    )


@pytest.fixture
def coordinator(start_agent: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return `coordinator(Trip, spec)`: it starts one."""
    return lambda kind, *arguments: start_agent(Agent(name)(type(kind.__name__, (kind,), {}))(*arguments))
