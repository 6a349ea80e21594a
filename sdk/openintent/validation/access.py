"""Keys, and who works on what."""

from ..enums import KeyRole
from ._values import one_of, text, validate_agent_id

KEY_NAME_LENGTH = 100
ROLE_LENGTH = 64


def validate_key(name: str, role: KeyRole | str = KeyRole.AGENT, agent_id: str | None = None) -> None:
    """Check a key to make: a name of 1 to 100 characters that an agent may have, one of the four roles, and the agent that it is bound to, if there is one."""
    text(name, "name", KEY_NAME_LENGTH)
    validate_agent_id(name, "name")
    one_of(role, "role", KeyRole)
    if agent_id is not None:
        validate_agent_id(agent_id)


def validate_assignment(agent_id: str, role: str = "worker") -> None:
    """Check an agent to assign, and its role: a word of yours, of 1 to 64 characters."""
    validate_agent_id(agent_id)
    text(role, "role", ROLE_LENGTH)
