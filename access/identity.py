"""Identity: the caller of a request and the actor of a write (protocol §1.1)."""

from dataclasses import dataclass, field
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from django.urls.converters import StringConverter
from rest_framework.request import Request

from access.bound_agents import has_own_key
from access.errors import AgentMismatch
from access.models import Role
from core.agent_ids import AGENT_ID, SERVER_ID, agent_id_problem
from core.api.headers import fencing_token
from core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Actor:
    """Actor of an event, and the id of the key that was used (None: a user, or the server itself)."""

    id: str
    key_id: UUID | None = None
    fencing_token: int | None = None
    """Fencing token of the actor's lease, if one was sent (rule L-4)."""
    role: Role = Role.AGENT
    is_bound: bool = False
    """Whether the key is bound to this agent."""
    first_key_id: UUID | None = None
    """The first of the keys that were rotated into this one, if any."""
    request: Request | None = field(default=None, compare=False, repr=False)
    """The request of the API that the actor writes with, if it is one."""
    passed: list[dict[str, Any]] = field(default_factory=list, compare=False, repr=False)
    """Gates that an operator passed with a reason, which the events of the write keep (rule A-12)."""

    @property
    def principal(self) -> str:
        """Return the owner of rights behind the agent id: the key, else the user or the server (protocol §1.1).

        A key and the keys that it is rotated into are one principal.
        """
        return f"key:{self.first_key_id or self.key_id}" if self.key_id else self.id

    def may_manage(self, principal: str) -> bool:
        """Return whether the actor may change what `principal` has set: its own, or any as arbiter or operator."""
        return self.principal == principal or self.role in (Role.ARBITER, Role.OPERATOR)


SYSTEM = Actor(SERVER_ID, role=Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Caller:
    """Caller of a request: a verified key (`request.user`)."""

    key_id: UUID
    name: str
    role: Role
    bound_to: str | None = None
    first_key_id: UUID | None = None

    is_authenticated = True

    def actor(
        self, *, header: str | None, named: str | None = None, fencing_token: int | None = None, request: Request | None = None
    ) -> Actor:
        """Return the actor of a write: the bound agent, else X-Agent-ID, else the body's actor, else the key's name.

        Raise AgentMismatch if a bound key names another agent, or if the agent has its own key; Invalid if the id is not
        valid or reserved.
        """
        claims = [(source, claimed) for source, claimed in (("X-Agent-ID", header), ("actor", named)) if claimed]
        for source, claimed in claims:
            if self.bound_to and claimed != self.bound_to:
                subject = "The body" if source == "actor" else source
                raise AgentMismatch(f"{subject} names {claimed!r}, but this key is bound to {self.bound_to!r}.")
        for source, claimed in claims or [("actor", self.bound_to or self.name)]:
            if problem := agent_id_problem(claimed):
                raise Invalid.field(source, *problem)
            if not self.bound_to and has_own_key(claimed):
                raise AgentMismatch(f"{claimed!r} has its own key; no other key can act under this id.")
        acting = self.bound_to or header or named or self.name
        return Actor(acting, self.key_id, fencing_token, self.role, self.bound_to is not None, self.first_key_id, request)


def get_caller(request: Request) -> Caller:
    """Return the caller of the request, as set by KeyAuthentication."""
    return cast(Caller, request.user)


def get_actor(request: Request, named: str | None = None) -> Actor:
    """Return the actor of the request (protocol §1.1); `named` is the actor in the body."""
    header = request.META.get("HTTP_X_AGENT_ID", "").encode("latin-1")  # WSGI passes bytes as Latin-1.
    try:
        agent = header.decode().strip(" \t") or None
    except UnicodeDecodeError:
        raise Invalid.field("X-Agent-ID", "must be ASCII or UTF-8") from None
    return get_caller(request).actor(header=agent, named=named, fencing_token=fencing_token(request), request=request)


class AgentConverter(StringConverter):
    """Path converter of agent ids, which may contain slashes, percent-encoded or not."""

    regex = ".+"

    def to_python(self, value: str) -> str:
        if not AGENT_ID.fullmatch(value):
            raise ValueError(value)
        return value


def configured_caller(digest: str, *, name: str, role: Role) -> Caller:
    """Return the caller of a configured key, whose id is derived from its digest as it has no row."""
    return Caller(uuid5(NAMESPACE_URL, f"openintent:key:{digest}"), name, role)
