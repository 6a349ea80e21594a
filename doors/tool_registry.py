"""Registry of the tools, in the order in which they are listed (protocol §11)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from doors.operations import Door, segment

Arguments = dict[str, Any]
Run = Callable[[Door, Arguments], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Tool:
    name: str
    title: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    run: Run
    reads: bool = False
    is_idempotent: bool = False
    is_destructive: bool = False


TOOLS: dict[str, Tool] = {}


def tool(
    name: str, title: str, input_schema: dict[str, Any], output_schema: dict[str, Any], **hints: bool
) -> Callable[[Run], Run]:
    """Register a tool. The function's docstring is its description for the model."""

    def register(run: Run) -> Run:
        TOOLS[name] = Tool(name, title, " ".join((run.__doc__ or "").split()), input_schema, output_schema, run, **hints)
        return run

    return register


def intent_path(given: Arguments, rest: str = "") -> str:
    """Take the intent's id from the arguments, and return the path below it."""
    return f"/intents/{segment(given.pop('intent_id', ''))}{rest}"


def key_header(given: Arguments) -> dict[str, str]:
    key = given.pop("idempotency_key", None)
    return {"idempotency_key": str(key)} if key else {}


def if_match(given: Arguments) -> dict[str, str]:
    version = given.pop("version", None)
    return {} if version is None else {"if_match": str(version)}
