"""The session of one run: its client, its output, and the lookup of shortened ids."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Protocol, Self, TypeVar
from uuid import UUID

import typer

from .._environment import ConnectionArguments, connection_arguments
from ..client import OpenIntentClient
from ..errors import NotFoundError
from ..models import Arbitration, Intent, Lease
from .output import Output
from .profiles import Profile, complete_from_profile, load_profiles

MAX_SCANNED = 5_000
"""Intents that are searched for a shortened id. With more, the id could be ambiguous."""

MIN_ID_PART = 4
_ID_PART = re.compile(rf"[0-9a-f-]{{{MIN_ID_PART},36}}")


class Identified(Protocol):
    @property
    def id(self) -> str: ...


I = TypeVar("I", bound=Identified)  # noqa: E741


class Session:
    """The client and output of one run of the program."""

    def __init__(self, given: Profile, profile: str | None = None) -> None:
        """`given` precedes what the profile has; `profile` is the name of one, or else the default one is used."""
        self.given = given
        self._profile = profile
        self.output = Output()

    @cached_property
    def connection(self) -> ConnectionArguments:
        """The server and the identity towards it. Raise InputValidationError."""
        stored = load_profiles().select(self._profile)
        used = complete_from_profile(self.given, stored)
        if self._profile and stored and used == self.given:
            self.output.print_note(f"Profile {self._profile} is not used: --url or OPENINTENT_URL names another server.")
        return connection_arguments(used.url, used.key, used.agent)

    @cached_property
    def client(self) -> OpenIntentClient:
        """The client, created on first use. Raise InputValidationError."""
        return OpenIntentClient(**self.connection)

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def intent(self, text: str) -> Intent:
        """Return the intent with this id, prefix or suffix. Raise NotFoundError, BadParameter."""
        return self.client.get_intent(self.intent_id(text))

    def intent_id(self, text: str) -> str:
        return self.id_of(text, "intent", self._intents)

    def portfolio_id(self, text: str) -> str:
        return self.id_of(text, "portfolio", self.client.list_portfolios)

    def subscription_id(self, text: str) -> str:
        return self.id_of(text, "subscription", self.client.list_subscriptions)

    def lease(self, text: str) -> Lease:
        """Return an active lease."""
        return self.find_by_part(text, "active lease", self.client.list_leases)

    def key_id(self, text: str) -> str:
        return self.id_of(text, "key", self.client.list_keys)

    def arbitration(self, text: str) -> Arbitration:
        """Return a pending arbitration by its id or its intent's; by its full id, any arbitration."""
        pending = self.client.list_arbitrations(status="pending")
        if id := full_id(text):
            of_intent = [each for each in pending if each.intent_id == id]
            return of_intent[0] if len(of_intent) == 1 else self.client.get_arbitration(id)
        found = {each.id: each for each in pending if matches_id(text, each.id) or matches_id(text, each.intent_id)}
        return require_single(text, "pending arbitration", list(found.values()))

    def id_of(self, text: str, kind: str, listed: Callable[[], Iterable[Identified]]) -> str:
        """Return the id with this prefix or suffix among those listed; a full id as it is. Raise NotFoundError, BadParameter."""
        return full_id(text) or self.find_by_part(text, kind, listed).id

    def find_by_part(self, text: str, kind: str, listed: Callable[[], Iterable[I]]) -> I:
        if not _ID_PART.fullmatch(text.lower()):
            raise typer.BadParameter(f"{text!r} is not a valid id, prefix or suffix (at least {MIN_ID_PART} characters).")
        return require_single(text, kind, [each for each in listed() if matches_id(text, each.id)])

    def _intents(self) -> list[Intent]:
        found = self.client.list_intents(limit=MAX_SCANNED + 1)
        if len(found) > MAX_SCANNED:
            message = f"There are more than {MAX_SCANNED:,} intents: a shortened id could be ambiguous. Use the full id."
            raise NotFoundError(message, code="ambiguous")
        return found


def get_session(ctx: typer.Context) -> Session:
    """Return the session of this run."""
    found = ctx.obj
    assert isinstance(found, Session)
    return found


def full_id(text: str) -> str | None:
    """Return the canonical form of a full id; None for anything else."""
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None


def matches_id(text: str, id: str) -> bool:
    return id.startswith(text.lower()) or id.endswith(text.lower())


def require_single(text: str, kind: str, found: list[I]) -> I:
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(f"No {kind} id starts or ends with {text}.", code="not_found")
    some = ", ".join(each.id for each in found[:3])
    raise NotFoundError(f"{text} is ambiguous, it matches {len(found)} ids: {some}. Use more characters.", code="ambiguous")
