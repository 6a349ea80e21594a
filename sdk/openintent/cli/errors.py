"""Refusals and failures in a line or two on stderr, and the codes that the program ends with."""

import sys
from typing import Any, NoReturn

import typer
from rich.text import Text
from typer.core import TyperGroup

from ..errors import (
    ConnectionFailedError,
    InputValidationError,
    OpenIntentError,
    RateLimitError,
    ServerError,
    UndecidedError,
)
from .output import Screen
from .sanitize import plain

REFUSED, USAGE, UNREACHABLE, UNDECIDED, DEFECT = 1, 2, 3, 4, 70

_REMEDIES = {
    "unauthenticated": "Set OPENINTENT_API_KEY to a key of this server. An operator makes one: openintent keys create NAME",
    "forbidden": "This takes a key with another role. An operator makes one: openintent keys create NAME --role ROLE",
    "agent_mismatch": "The key belongs to one agent: leave --agent and OPENINTENT_AGENT_ID out.",
    "self_decision": "Somebody else has to decide what you asked for.",
    "not_lease_holder": "openintent leases revoke takes a lease from its holder; that is for arbiters and operators.",
    "version_conflict": "Somebody else changed it meanwhile. Look again, then repeat it.",
    "arbitration_resolved": "openintent arbitrate lists what still waits for a decision.",
    "not_found": "openintent intents, arbitrate, leases, portfolio and keys list what there is.",
}

_OPTIONS = {
    "base_url": "--url or OPENINTENT_URL",
    "api_key": "--key or OPENINTENT_API_KEY",
    "agent_id": "--agent or OPENINTENT_AGENT_ID",
}


class Commands(TyperGroup):
    """The program's commands: what the SDK raises ends them with a sentence and a code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OpenIntentError as error:
            complain(error)
            raise typer.Exit(code_of(error)) from None


def complain(error: OpenIntentError) -> None:
    screen = Screen()
    where = f" [{error.code}]" if error.code and error.status_code else ""
    screen.err.print(
        Text("error: ", style="bold red").append(plain(error.message) + where, style="not bold default"), soft_wrap=True
    )
    for each in getattr(error, "errors", ()):
        if str(each.get("message")) not in error.message:
            screen.note(f"  {each.get('field')}: {each.get('message')}", style="")
    if advice := remedy(error):
        screen.note(f"  {advice}")


def code_of(error: OpenIntentError) -> int:
    match error:
        case InputValidationError():
            return USAGE
        case UndecidedError():
            return UNDECIDED
        case ConnectionFailedError() | ServerError() | RateLimitError():
            return UNREACHABLE
    return REFUSED if error.code else UNREACHABLE  # Without one, what answered is no server of the protocol.


def remedy(error: OpenIntentError) -> str | None:
    """What to do about it."""
    if isinstance(error, ConnectionFailedError):
        return "Is it running? openintent-server starts one here; OPENINTENT_URL or --url says where another one is."
    if isinstance(error, InputValidationError) and error.field in _OPTIONS:
        return f"It comes from {_OPTIONS[error.field]}."
    if waiting := error.response.get("waiting_for"):
        return f"It waits for {', '.join(map(str, waiting))}."
    if isinstance(error, RateLimitError) and error.retry_after:
        return f"Try again in {error.retry_after:.0f} s."
    return _REMEDIES.get(error.code or "")


def defect(error: Exception) -> NoReturn:
    """The program's own fault."""
    screen = Screen()
    screen.note(f"error: {type(error).__name__}: {error}", style="red")
    screen.note("  This is a defect of openintent: please report what you did.")
    sys.exit(DEFECT)
