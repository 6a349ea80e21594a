"""The table of walks, and what they use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openintent import OpenIntentClient

from tests.browser.example_acts import Acts
from tests.browser.keyboard import Keyboard
from tests.servers import Server

ENDPOINT = "https://hooks.example.com/openintent"
PASSWORD = "correct horse battery"


@dataclass
class World:
    """A server, an operator and an agent of it, and objects that several walks use."""

    server: Server
    operator: OpenIntentClient
    ada: OpenIntentClient
    new_page: Callable[[], Any]
    """Open a page in which nobody is signed in."""

    @cached_property
    def acts(self) -> Acts:
        return Acts(self.server.api, self.operator.create_intent("Refund customers").id)

    def intent(self, title: str, **fields: Any) -> Any:
        return self.operator.create_intent(title, **fields)

    def ask(self, reason: str, **fields: Any) -> Any:
        return self.ada.request_arbitration(self.ada.create_intent(f"About: {reason}").id, reason, **fields)


@dataclass(frozen=True)
class Walk:
    steps: Callable[[Keyboard, World], None]
    acts: frozenset[str] = field(default=frozenset())


WALKS: dict[str, Walk] = {}


def walk(*acts: str) -> Callable[[Callable[[Keyboard, World], None]], Callable[[Keyboard, World], None]]:
    def add(steps: Callable[[Keyboard, World], None]) -> Callable[[Keyboard, World], None]:
        WALKS[steps.__name__] = Walk(steps, frozenset(acts))
        return steps

    return add
