"""Assignments of agents to intents."""

from .._endpoint import Call, endpoint
from ..models import AgentAssignment, Intent, IntentAgent
from ..validation import validate_agent_id, validate_assignment
from ._helpers import Id, list_call, no_content, path


class AgentResource:
    """/intents/{id}/agents and /agents/{agent}/intents."""

    @endpoint
    def assign_agent(self, intent_id: Id, agent_id: str, *, role: str = "worker") -> Call[AgentAssignment]:
        """Assign an agent to the intent in a role of your choice. Idempotent.

        Raises InputValidationError, NotFoundError.
        """
        validate_assignment(agent_id, role)
        return Call(
            method="POST",
            path=path("intents", intent_id, "agents"),
            json={"agent_id": agent_id, "role": role},
            parse=AgentAssignment.from_json,
        )

    @endpoint
    def get_agents(self, intent_id: Id, *, limit: int | None = None) -> Call[list[IntentAgent]]:
        """Return the agents assigned to the intent, with their roles. Raises NotFoundError."""
        return list_call(path("intents", intent_id, "agents"), "agents", IntentAgent, limit=limit)

    @endpoint
    def unassign_agent(self, intent_id: Id, agent_id: str) -> Call[None]:
        """Unassign an agent from the intent. Idempotent. Raises NotFoundError (the intent)."""
        validate_agent_id(agent_id, acts=False)
        return Call(method="DELETE", path=path("intents", intent_id, "agents", agent_id), parse=no_content)

    @endpoint
    def get_agent_intents(self, agent_id: str, *, limit: int | None = None) -> Call[list[Intent]]:
        """Return the intents that an agent is assigned to; none for an unknown agent."""
        validate_agent_id(agent_id, acts=False)
        return list_call(path("agents", agent_id, "intents"), "intents", Intent, limit=limit)
