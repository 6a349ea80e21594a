"""The decorator `@Agent`, and `Worker`, an agent that is a function."""

from typing import Any, TypeVar, Unpack, overload

from ..validation import validate_agent_id, validate_header
from ._base_agent import BaseAgent
from ._decorators import Trigger
from ._event_handlers import EventHandler
from ._handler_arguments import Handler, check_parameters
from ._options import AgentConfig, AgentOptions, Settings

A = TypeVar("A", bound=BaseAgent)


class Agent:
    """Class decorator that makes an agent.

        @Agent("research-agent", concurrency=4)
        class ResearchAgent:
            @on_assignment
            def research(self, intent):
                return {"findings": f"All about {intent.title}"}

        if __name__ == "__main__":
            ResearchAgent.run()

    The class gets the members of `BaseAgent`: `run`, `start`, `stop`, `self.client`, `self.agent_id`. It may inherit from `BaseAgent`
    or `Coordinator` itself, which type checkers understand, and have an `__init__` of its own.

    Several processes may run the same agent: each assignment is handled by one of them, and by another one only
    once the first one's lease has expired or was released. Methods for events are not shared: they are called in each process.
    """

    def __init__(self, agent_id: str | None = None, config: AgentConfig | None = None, **options: Unpack[AgentOptions]) -> None:
        """Set the id and options. Without an id, `start` or OPENINTENT_AGENT_ID provides it. Raises InputValidationError."""
        self._config = config
        if agent_id is not None:
            validate_header(agent_id, "agent_id")
            validate_agent_id(agent_id)
        self._agent_id = agent_id
        self._settings = Settings(**options)

    @overload
    def __call__(self, cls: type[A]) -> type[A]: ...
    @overload
    def __call__(self, cls: type) -> type[BaseAgent]: ...

    def __call__(self, cls: type) -> Any:
        """Return the class itself if it inherits from BaseAgent, else a subclass of the same name."""
        made: Any = cls
        if not issubclass(cls, BaseAgent):
            attributes = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
            made = type(cls.__name__, (cls, BaseAgent), attributes)
        made.agent_id, made.settings, made.config = self._agent_id, self._settings, self._config
        return made


class Worker(BaseAgent):
    """An agent that is a function.

        def summarise(intent):
            return {"summary": intent.description[:100]}

        Worker("summariser", summarise).run()

    The function is called like a method under `on_assignment`, with arguments by the names of its parameters: `intent`, `client`,
    `assignment`; it may be `async def`. The options are those of `@Agent`.

    Several processes with one id share its assignments. To distribute work yourself, give each an id of its own, such as
    "summariser-1" and "summariser-2", and assign to those.
    """

    def __init__(
        self,
        agent_id: str | None,
        handler: Handler,
        base_url: str | None = None,
        api_key: str | None = None,
        **options: Unpack[AgentOptions],
    ) -> None:
        """Set the id, the function, the server's address and key, unless `start` gets them, and options. Raises InputValidationError; TypeError for an unknown parameter."""
        if agent_id is not None:
            validate_header(agent_id, "agent_id")
            validate_agent_id(agent_id)
        super().__init__(base_url, api_key)
        self.agent_id = agent_id
        self.settings = Settings(**options)
        check_parameters("on_assignment", handler, getattr(handler, "__name__", "the handler"))
        self._handler = handler

    def _handlers(self) -> list[EventHandler]:
        return [EventHandler(Trigger("on_assignment"), self._handler), *super()._handlers()]
