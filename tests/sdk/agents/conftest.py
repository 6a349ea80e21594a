"""Agents in this process, at the server that the tests share: each test has agents of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from openintent import BaseAgent, Intent, OpenIntentClient

from tests.system.crowd import until


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    """Agents find the server as programs do."""
    for name in [each for each in os.environ if each.startswith("OPENINTENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENINTENT_URL", server.url)


@pytest.fixture
def name() -> str:
    """The id of an agent that nobody else has."""
    return f"agent-{uuid4().hex[:12]}"


@pytest.fixture
def boss(server: Any) -> Iterator["Boss"]:
    with Boss(server.url, "dev-user-key", "boss") as client:
        yield client


@pytest.fixture
def begin() -> Iterator[Callable[..., Any]]:
    """`begin(agent)` starts it, and stops it at the end of the test."""
    with ExitStack() as stack:

        def begin(agent: BaseAgent, **arguments: Any) -> Any:
            agent.start(**arguments)
            stack.callback(agent.stop)
            return agent

        yield begin


class Boss(OpenIntentClient):
    """Hands out work, and waits for what becomes of it."""

    def ask(self, agent_id: str, title: str = "Something to do", **fields: Any) -> Intent:
        return self.create_intent(title, assign=agent_id, **fields)

    def status(self, intent: Intent, status: str) -> Intent:
        """Set it, whoever else writes at the same moment is not expected to."""
        return self.set_status(intent.id, self.get_intent(intent.id).version, status)

    def becomes(self, intent: Intent, status: str) -> Intent:
        """The intent, once it has that status."""
        found: Intent = until(lambda: (now := self.get_intent(intent.id)).status == status and now, f"{intent.title} {status}")
        return found

    def hears(self, intent: Intent, event_type: str, count: int = 1) -> list[Any]:
        """The events of that type, once there are so many."""
        found: list[Any] = until(
            lambda: len(found := self.get_events(intent.id, event_type=event_type)) >= count and found, event_type
        )
        return found

    def log(self, intent: Intent) -> list[str]:
        return [str(event.event_type) for event in self.get_events(intent.id)]

    def becomes_parent(self, intent: Intent, count: int) -> list[Intent]:
        """The intent's children, once there are so many."""
        found: list[Intent] = until(lambda: len(found := self.get_children(intent.id)) == count and found, "children")
        return found
