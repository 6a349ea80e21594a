"""API keys and assignments."""

from ..enums import KeyRole
from ._values import require_one_of, require_text, validate_agent_id

KEY_NAME_LENGTH = 100
ROLE_LENGTH = 64


def validate_key(name: str, role: KeyRole | str = KeyRole.AGENT, agent_id: str | None = None) -> None:
    """Check an API key to create: a name of 1 to 100 characters that an agent may have, one of the four roles, and the bound agent, if any."""
    require_text(name, "name", KEY_NAME_LENGTH)
    validate_agent_id(name, "name")
    require_one_of(role, "role", KeyRole)
    if agent_id is not None:
        validate_agent_id(agent_id)


def validate_assignment(agent_id: str, role: str = "worker") -> None:
    """Check an agent to assign, and its role: free text of 1 to 64 characters."""
    validate_agent_id(agent_id)
    require_text(role, "role", ROLE_LENGTH)
