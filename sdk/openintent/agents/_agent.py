"""`@Agent`, and the smallest agent there is."""

from typing import Any, TypeVar, Unpack, overload

from ..validation import validate_agent_id, validate_header
from ._base import BaseAgent
from ._decorators import on_assignment
from ._handler_runner import Handler, parameters
from ._options import AgentOptions, Settings

A = TypeVar("A", bound=BaseAgent)


class Agent:
    """Makes a class an agent.

        @Agent("research-agent", concurrency=4)
        class ResearchAgent:
            @on_assignment
            def research(self, intent):
                return {"findings": f"All about {intent.title}"}

        if __name__ == "__main__":
            ResearchAgent.run()

    The class gets what `BaseAgent` has: `run`, `start`, `stop`, `self.client`, `self.agent_id`. It may inherit from `BaseAgent` or
    `Coordinator` itself, which type checkers understand, and have an `__init__` of its own.

    Several processes may be the same agent: each assignment is handled by one of them, whichever comes first, and by another one only
    once the lease of the first has run out or was given back. What they do not share are the other methods: each process hears the
    events.
    """

    def __init__(self, agent_id: str | None = None, **options: Unpack[AgentOptions]) -> None:
        """Without an id, it is given when the agent is started, or by OPENINTENT_AGENT_ID. Raises InputValidationError."""
        if agent_id is not None:
            validate_header(agent_id, "agent_id")
            validate_agent_id(agent_id)
        self._agent_id = agent_id
        self._settings = Settings.of(**options)

    @overload
    def __call__(self, cls: type[A]) -> type[A]: ...
    @overload
    def __call__(self, cls: type) -> type[BaseAgent]: ...

    def __call__(self, cls: type) -> Any:
        """The class as an agent: itself, if it inherits from BaseAgent, else a subclass of the same name."""
        made: Any = cls if issubclass(cls, BaseAgent) else _derived(cls)
        made.agent_id, made.settings = self._agent_id, self._settings
        return made


class Worker(BaseAgent):
    """An agent that is a function.

        def summarise(intent):
            return {"summary": intent.description[:100]}

        Worker("summariser", summarise).run()

    The function is to `on_assignment` what a method would be: it takes the intent and, if it wants, an `Assignment`, whose `client`
    it can use; it may be `async def`. The options are those of `@Agent`.

    Several processes with one id share its assignments. To say yourself who does what, give each an id of its own, as
    "summariser-1" and "summariser-2", and assign to those.
    """

    def __init__(self, agent_id: str | None, handler: Handler, **options: Unpack[AgentOptions]) -> None:
        """Raises InputValidationError."""
        if agent_id is not None:
            validate_header(agent_id, "agent_id")
            validate_agent_id(agent_id)
        self.agent_id = agent_id
        self.settings = Settings.of(**options)
        self._handler = handler

    @on_assignment
    def _work(self, *arguments: Any) -> Any:
        return self._handler(*arguments[: parameters(self._handler)])


def _derived(cls: type) -> type:
    about = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls, BaseAgent), about)
