"""Assignments of agents to intents."""

from .._call import Call, list_call, no_content
from .._parameters import Id, path
from ..models import AgentAssignment, Intent, IntentAgent
from ..validation import validate_agent_id, validate_assignment
from ._transport import Transport


class AgentResource(Transport):
    """/intents/{id}/agents and /agents/{agent}/intents."""

    def assign_agent(self, intent_id: Id, agent_id: str, *, role: str = "worker") -> AgentAssignment:
        """Assign an agent to the intent in a role of your choice. Idempotent.

        Raises InputValidationError, NotFoundError.
        """
        validate_assignment(agent_id, role)
        return self.send(
            Call(
                "POST", path("intents", intent_id, "agents"), AgentAssignment.from_json, json={"agent_id": agent_id, "role": role}
            )
        )

    def get_agents(self, intent_id: Id, *, limit: int | None = None) -> list[IntentAgent]:
        """Return the agents assigned to the intent, with their roles. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "agents"), "agents", IntentAgent, limit=limit))

    def unassign_agent(self, intent_id: Id, agent_id: str) -> None:
        """Unassign an agent from the intent. Idempotent. Raises NotFoundError (the intent)."""
        validate_agent_id(agent_id, acts=False)
        return self.send(Call("DELETE", path("intents", intent_id, "agents", agent_id), no_content))

    def get_agent_intents(self, agent_id: str, *, limit: int | None = None) -> list[Intent]:
        """Return the intents that an agent is assigned to; none for an unknown agent."""
        validate_agent_id(agent_id, acts=False)
        return self.send(list_call(path("agents", agent_id, "intents"), "intents", Intent, limit=limit))
