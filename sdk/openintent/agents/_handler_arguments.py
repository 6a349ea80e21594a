"""Arguments of handlers, by the names of their parameters (protocol K-11)."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Handler: TypeAlias = Callable[..., Any]

Arguments: TypeAlias = Mapping[str, Callable[[], object]]
"""Functions that return a handler's arguments, by name: only what a handler takes is read from the server."""

ALIASES = {"work": "assignment"}

_EVENT = ("intent", "event", "agent", "client")
_PORTFOLIO = ("portfolio", "agent", "client")

NAMES = {
    "on_assignment": ("intent", "assignment", "event", "lease", "scope", "agent", "client"),
    "on_answer": ("answer", "question", "intent", "assignment", "lease", "scope", "agent", "client"),
    "on_complete": _EVENT,
    "on_event": ("event", "intent", "agent", "client"),
    "on_state_change": ("intent", "event", "old", "new", "agent", "client"),
    "on_lease_available": ("intent", "event", "scope", "lease", "agent", "client"),
    "on_failure": _EVENT,
    "on_all_complete": _PORTFOLIO,
    "on_progress": _PORTFOLIO,
}
"""The names that a parameter can have, by decorator. The first one is what `*args` of a function without names gets."""


def check_parameters(kind: str, handler: Handler, name: str) -> None:
    """Raise TypeError if the handler, a bound one, has a parameter without a default that no argument belongs to."""
    for each in _parameters(handler):
        if each.default is each.empty and _argument(each) not in NAMES[kind]:
            names = ", ".join(NAMES[kind])
            raise TypeError(f"{name} has a parameter {each.name!r}, which @{kind} has no value for; it can have: {names}")


def with_arguments(kind: str, handler: Handler, arguments: Arguments) -> Callable[[], Any]:
    """Return the call of the handler with those of the arguments that it takes, in whatever order."""
    wanted = [each for each in _parameters(handler) if _argument(each) in arguments]
    values = {each.name: arguments[_argument(each)]() for each in wanted}
    positional = [values.pop(each.name) for each in wanted if each.kind == each.POSITIONAL_ONLY]
    if not wanted and any(each.kind == each.VAR_POSITIONAL for each in inspect.signature(handler).parameters.values()):
        positional = [arguments[NAMES[kind][0]]()]
    return lambda: handler(*positional, **values)


def _parameters(handler: Handler) -> Iterator[inspect.Parameter]:
    for each in inspect.signature(handler).parameters.values():
        if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            yield each


def _argument(parameter: inspect.Parameter) -> str:
    return ALIASES.get(parameter.name, parameter.name)
