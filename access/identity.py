"""The caller of a request and the actor of a write (protocol §1.1)."""

from dataclasses import dataclass
from typing import cast
from uuid import NAMESPACE_URL, UUID, uuid5

from rest_framework.request import Request

from access.bound_agents import has_own_key
from access.errors import AgentMismatch
from access.models import Role
from core.agent_ids import AGENT_ID, SERVER_ID, agent_id_problem
from core.api.headers import fencing_token
from core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Actor:
    """Who an event names, and the key that it was done with (its id; None: the server itself)."""

    id: str
    key_id: UUID | None = None
    fencing_token: int | None = None
    """Of the lease under which it is done, if the caller says so (rule L-4)."""
    role: Role = Role.AGENT
    is_bound: bool = False
    """Whether the key is bound to this agent."""
    first_key_id: UUID | None = None
    """The first of the keys that were rotated into this one, if there were others."""

    @property
    def principal(self) -> str:
        """Return who is behind the agent id: the key, else the person or the server. Rights hang on it (protocol §1.1).

        A key and the one that it is rotated into are one principal.
        """
        return f"key:{self.first_key_id or self.key_id}" if self.key_id else self.id

    def may_manage(self, principal: str) -> bool:
        """Return whether the actor may change what `principal` has set for others: it is theirs, or the actor an arbiter or operator."""
        return self.principal == principal or self.role in (Role.ARBITER, Role.OPERATOR)


SYSTEM = Actor(SERVER_ID, role=Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified key. It stands in `request.user`."""

    key_id: UUID
    name: str
    role: Role
    bound_to: str | None = None
    first_key_id: UUID | None = None

    is_authenticated = True

    def actor(self, *, header: str | None, named: str | None = None, fencing_token: int | None = None) -> Actor:
        """The actor of a write: the bound agent, else the X-Agent-ID header, else who the body names, else the key's name.

        Raises AgentMismatch where a bound key speaks for another, or another key for an agent that has one of its own;
        Invalid for an unusable id and for a name that is taken.
        """
        claims = [(source, claimed) for source, claimed in (("X-Agent-ID", header), ("actor", named)) if claimed]
        for source, claimed in claims:
            if self.bound_to and claimed != self.bound_to:
                raise AgentMismatch(f"{_IN_WORDS[source]} names {claimed!r}, but this key is bound to {self.bound_to!r}.")
        for source, claimed in claims or [("actor", self.bound_to or self.name)]:
            if problem := agent_id_problem(claimed):
                raise Invalid.field(source, *problem)
            if not self.bound_to and has_own_key(claimed):
                raise AgentMismatch(f"{claimed!r} has a key of its own, and no other key acts under this name.")
        acting = self.bound_to or header or named or self.name
        return Actor(acting, self.key_id, fencing_token, self.role, self.bound_to is not None, self.first_key_id)


_IN_WORDS = {"X-Agent-ID": "X-Agent-ID", "actor": "The body"}


def get_caller(request: Request) -> Caller:
    """Whose key the request came with. KeyAuthentication has put it there."""
    return cast(Caller, request.user)


def get_actor(request: Request, named: str | None = None) -> Actor:
    """Who does this (protocol §1.1); `named` is whom the body names."""
    header = request.META.get("HTTP_X_AGENT_ID", "").encode("latin-1")  # WSGI's way to hand over bytes.
    try:
        agent = header.decode().strip(" \t") or None
    except UnicodeDecodeError:
        raise Invalid.field("X-Agent-ID", "must be ASCII or UTF-8") from None
    return get_caller(request).actor(header=agent, named=named, fencing_token=fencing_token(request))


class AgentConverter:
    """The agent id in a path. It may contain slashes, percent-encoded or not."""

    regex = ".+"

    def to_python(self, value: str) -> str:
        if not AGENT_ID.fullmatch(value):
            raise ValueError(value)
        return value

    def to_url(self, value: str) -> str:
        return value


def configured_caller(digest: str, *, name: str, role: Role) -> Caller:
    """The caller of a key that stands in the configuration: it has no row, so its id comes from its digest."""
    return Caller(uuid5(NAMESPACE_URL, f"openintent:key:{digest}"), name, role)
