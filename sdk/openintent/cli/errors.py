"""Error output and exit codes."""

import re
import sys
from typing import Any, NoReturn

import typer
from rich.text import Text

from ..errors import (
    ConnectionFailedError,
    InputValidationError,
    OpenIntentError,
    RateLimitError,
    ServerError,
    UndecidedError,
)
from .api_paths import nearest_path
from .help import Group
from .output import Output
from .sanitize import escape
from .streams import OutputError

REFUSED, USAGE, UNREACHABLE, UNDECIDED, INTERNAL_ERROR, OUTPUT_FAILED = 1, 2, 3, 4, 70, 74

_HINTS = {
    "unauthenticated": "Set OPENINTENT_API_KEY to a key of this server. Operators create one with: openintent keys create NAME",
    "forbidden": "This needs a key with another role. Operators create one with: openintent keys create NAME --role ROLE",
    "agent_mismatch": "The key is bound to one agent: do not set --agent or OPENINTENT_AGENT_ID.",
    "self_decision": "Another person or arbiter must decide your own request.",
    "not_lease_holder": "Arbiters and operators can end another agent's lease with: openintent leases revoke",
    "version_conflict": "It was changed meanwhile. Check the current version, then try again.",
    "arbitration_resolved": "List pending arbitrations with: openintent arbitrate",
    "not_found": "List existing ids with openintent intents, arbitrate, leases, portfolio or keys.",
}

_OPTIONS = {
    "base_url": "--url or OPENINTENT_URL",
    "api_key": "--key or OPENINTENT_API_KEY",
    "agent_id": "--agent or OPENINTENT_AGENT_ID",
    "profile": "--profile or OPENINTENT_PROFILE",
}


class Commands(Group):
    """The command group: prints errors of the SDK and exits with their code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OpenIntentError as error:
            print_error(error)
            raise typer.Exit(exit_code(error)) from None


def print_error(error: OpenIntentError) -> None:
    output = Output()
    where = f" [{error.code}]" if error.code and error.status_code else ""
    output.err.print(
        Text("error: ", style="bold red").append(escape(error.message) + where, style="not bold default"), soft_wrap=True
    )
    for each in getattr(error, "errors", ()):
        if str(each.get("message")) not in error.message:
            output.print_note(f"  {each.get('field')}: {each.get('message')}", style="")
    if advice := hint(error):
        output.print_note(f"  {advice}")


def exit_code(error: OpenIntentError) -> int:
    match error:
        case InputValidationError():
            return USAGE
        case UndecidedError():
            return UNDECIDED
        case ConnectionFailedError() | ServerError() | RateLimitError():
            return UNREACHABLE
    return REFUSED if error.code else UNREACHABLE  # Without a code, no OpenIntent server has answered.


def hint(error: OpenIntentError) -> str | None:
    """Return what to do about the error, if that is known."""
    if isinstance(error, ConnectionFailedError):
        return "Is the server running? Start one with openintent-server, or set OPENINTENT_URL or --url."
    if isinstance(error, InputValidationError) and error.field in _OPTIONS:
        return f"It was set by {_OPTIONS[error.field]}."
    if waiting := error.response.get("waiting_for"):
        return f"Still open: {', '.join(map(str, waiting))}."
    if isinstance(error, RateLimitError) and error.retry_after:
        return f"Try again in {error.retry_after:.0f} s."
    if unknown := re.fullmatch(r"There is nothing at (/.*)\.", error.message):
        if re.search(r"./(api/v1|\.well-known)/", unknown[1]):
            return "Is the path of --url or OPENINTENT_URL right?"
        near = nearest_path(unknown[1])
        return f"The nearest path is {near}." if near else "The reference of the HTTP API lists all paths."
    return _HINTS.get(error.code or "")


def report_internal_error(error: Exception) -> NoReturn:
    """Print an internal error and exit."""
    output = Output()
    output.print_note(f"error: {type(error).__name__}: {error}", style="red")
    output.print_note("  This is an internal error of openintent. Please report it.")
    sys.exit(INTERNAL_ERROR)


def report_output_error(error: OutputError) -> NoReturn:
    """Print that the output is incomplete and exit."""
    Output().print_note(f"error: {error}", style="red")
    sys.exit(OUTPUT_FAILED)
