"""Errors of keys and identity (protocol §2)."""

from core.errors import ObjectNotFound, ProtocolError


class AgentMismatch(ProtocolError):
    """The key is bound to another agent than the request names, or the request names an agent that has its own key. Omit `X-Agent-ID` and the actor, or use that agent's key."""

    code, title, status = "agent_mismatch", "Agent mismatch", 403


class KeyNotFound(ObjectNotFound):
    message = "There is no key with the id"
