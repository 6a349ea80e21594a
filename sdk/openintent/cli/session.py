"""What the commands work with: the client and the screen of this run."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Protocol, TypeVar
from uuid import UUID

import typer

from .._environment import connection_arguments
from ..client import OpenIntentClient
from ..errors import NotFoundError
from ..models import Arbitration, Intent, Lease
from .output import Screen

LOOKED_THROUGH = 5_000
"""Intents among which a shortened id is looked for. If there are more, it could mean another one."""

LEAST = 4
_SHORTENED = re.compile(rf"[0-9a-f-]{{{LEAST},36}}")


class Identified(Protocol):
    @property
    def id(self) -> str: ...


I = TypeVar("I", bound=Identified)  # noqa: E741


class Session:
    """One run of the program."""

    def __init__(self, url: str | None, key: str | None, agent: str | None) -> None:
        self._said = (url, key, agent)
        self.screen = Screen()

    @cached_property
    def client(self) -> OpenIntentClient:
        """Raises InputValidationError."""
        return OpenIntentClient(**connection_arguments(*self._said))

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def intent(self, text: str) -> Intent:
        """The intent with this id, or with the only one that begins or ends so. Raises NotFoundError, BadParameter."""
        return self.client.get_intent(self.intent_id(text))

    def intent_id(self, text: str) -> str:
        return whole(text) or self._one(text, "intent", self._intents).id

    def portfolio_id(self, text: str) -> str:
        return whole(text) or self._one(text, "portfolio", self.client.list_portfolios).id

    def lease(self, text: str) -> Lease:
        """An active one."""
        return self._one(text, "active lease", self.client.list_leases)

    def key_id(self, text: str) -> str:
        return whole(text) or self._one(text, "key", self.client.list_keys).id

    def arbitration(self, text: str) -> Arbitration:
        """A pending one, by its own id or by its intent's; by its whole id any."""
        pending = self.client.list_arbitrations(status="pending")
        if id := whole(text):
            of_intent = [each for each in pending if each.intent_id == id]
            return of_intent[0] if len(of_intent) == 1 else self.client.get_arbitration(id)
        found = {each.id: each for each in pending if is_short_for(text, each.id) or is_short_for(text, each.intent_id)}
        return _only(text, "pending arbitration", list(found.values()))

    def _one(self, text: str, kind: str, listed: Callable[[], Iterable[I]]) -> I:
        checked(text)
        return _only(text, kind, [each for each in listed() if is_short_for(text, each.id)])

    def _intents(self) -> list[Intent]:
        found = self.client.list_intents(limit=LOOKED_THROUGH + 1)
        if len(found) > LOOKED_THROUGH:
            message = f"There are more than {LOOKED_THROUGH:,} intents: a shortened id could mean another one. Give all of it."
            raise NotFoundError(message, code="ambiguous")
        return found


def session(ctx: typer.Context) -> Session:
    found = ctx.obj
    assert isinstance(found, Session)
    return found


def whole(text: str) -> str | None:
    """A complete id as the API has it; None for anything else."""
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None


def checked(text: str) -> str:
    """Raises BadParameter for what is no part of an id."""
    if not _SHORTENED.fullmatch(text.lower()):
        raise typer.BadParameter(f"{text!r} is no id, nor the beginning or end of one ({LEAST} characters at least).")
    return text


def is_short_for(text: str, id: str) -> bool:
    return id.startswith(text.lower()) or id.endswith(text.lower())


def _only(text: str, kind: str, found: list[I]) -> I:
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(f"No {kind} has an id that begins or ends with {text}.", code="not_found")
    some = ", ".join(each.id for each in found[:3])
    raise NotFoundError(f"{text} could be any of {len(found)}: {some}. Give more of it.", code="ambiguous")
