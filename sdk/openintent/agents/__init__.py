"""Agents: classes and functions that intents are assigned to.

    from openintent import Agent, on_assignment

    @Agent("research-agent")
    class ResearchAgent:
        @on_assignment
        def research(self, intent):
            return {"findings": f"All about {intent.title}"}

    if __name__ == "__main__":
        ResearchAgent.run()

They need no extra, but for handlers that use `self.async_client`: `async`.
"""

from ._agent import Agent, Worker
from ._assignment import Assignment, AssignmentCancelledError
from ._base import BaseAgent
from ._coordinator import Coordinator
from ._decorators import (
    on_all_complete,
    on_assignment,
    on_complete,
    on_event,
    on_failure,
    on_lease_available,
    on_progress,
    on_state_change,
)
from ._options import AgentOptions
from ._results import Done, Result
from ._specs import IntentSpec, PortfolioSpec

__all__ = [
    "Agent",
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
    "on_assignment",
    "on_complete",
    "on_event",
    "on_failure",
    "on_lease_available",
    "on_progress",
    "on_state_change",
]
