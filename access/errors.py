from core.errors import NotFound, ProtocolError


class AgentMismatch(ProtocolError):
    """The key is bound to one agent, and the request speaks for another; or it speaks for an agent that has a key of its own. Leave `X-Agent-ID` and the actor out, or use that agent's own key."""

    code, title, status = "agent_mismatch", "Agent mismatch", 403


class KeyNotFound(NotFound):
    code = NotFound.code

    def __init__(self, key_id: object) -> None:
        super().__init__(f"No key has the id {str(key_id)[:60]!r}.")
