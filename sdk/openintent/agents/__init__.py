"""Agents: classes and functions that work on assigned intents.

    from openintent import Agent, on_assignment

    @Agent("research-agent")
    class ResearchAgent:
        @on_assignment
        def research(self, intent):
            return {"findings": f"All about {intent.title}"}

    if __name__ == "__main__":
        ResearchAgent.run()

They need no extra, except `async` for handlers that use `self.async_client`.
"""

from ._agent import Agent, Worker
from ._assignment import Assignment, AssignmentCancelledError
from ._base_agent import BaseAgent
from ._coordinator import Coordinator
from ._decorators import (
    on_all_complete,
    on_answer,
    on_assignment,
    on_complete,
    on_event,
    on_failure,
    on_lease_available,
    on_progress,
    on_state_change,
)
from ._options import AgentConfig, AgentOptions
from ._results import Done, Result
from ._specs import IntentSpec, PortfolioSpec

__all__ = [
    "Agent",
    "AgentConfig",
    "AgentOptions",
    "Assignment",
    "AssignmentCancelledError",
    "BaseAgent",
    "Coordinator",
    "Done",
    "IntentSpec",
    "PortfolioSpec",
    "Result",
    "Worker",
    "on_all_complete",
    "on_answer",
    "on_assignment",
    "on_complete",
    "on_event",
    "on_failure",
    "on_lease_available",
    "on_progress",
    "on_state_change",
]
