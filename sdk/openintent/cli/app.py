"""The program: its commands and common options."""

import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from .._version import __version__
from . import (
    arbitrations,
    attachments,
    brief,
    delegations,
    door,
    gates,
    intents,
    keys,
    leases,
    login,
    permits,
    portfolios,
    server,
    show,
    tail,
    webhooks,
)
from .api import api
from .ask import ask
from .costs import costs
from .errors import Commands, report_internal_error, report_output_error
from .failures import failures
from .help import Program
from .hooks import commands as hooks
from .open_page import open_page
from .profiles import Profile
from .session import Session
from .streams import OutputError
from .tree import tree

WORK, PEOPLE, OPERATION = "Intents", "People and agents", "The server"

EPILOG = (
    "Exit codes: 0 success, 1 rejected, 2 usage error, 3 server unreachable or unavailable, 4 no decision (ask, arbitrate ask --wait), "
    "74 output cannot be written, 130 Ctrl-C. With --json the output is JSON; errors are always text on stderr."
)

app = Program(
    name="openintent",
    cls=Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog=EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="OPENINTENT_URL",
        metavar="URL",
        help="URL of the server. Default: http://localhost:8000",
        show_default=False,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="OPENINTENT_API_KEY",
        metavar="KEY",
        help="API key. Prefer the variable: arguments can be seen by others on this machine, and stay in the shell's history.",
        show_default=False,
    ),
]
Agent = Annotated[
    str | None,
    typer.Option(
        "--agent",
        envvar="OPENINTENT_AGENT_ID",
        metavar="AGENT",
        help="Id of the acting agent, for a key that is not bound to one.",
        show_default=False,
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        envvar="OPENINTENT_PROFILE",
        metavar="NAME",
        help="Profile to use (see login). The options above and their variables precede it.",
        show_default=False,
    ),
]


@app.callback()
def openintent(
    ctx: typer.Context,
    url: Url = None,
    key: Key = None,
    agent: Agent = None,
    profile: ProfileName = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Inspect intents, follow agents' events, and decide arbitrations.

    An id may be shortened to a unique prefix or suffix, as shown in tables.
    """
    ctx.obj = Session(Profile(url or "", key, agent), profile)
    ctx.call_on_close(ctx.obj.close)


_COMMANDS: dict[str, list[Callable[..., None]]] = {
    WORK: [
        intents.intents,
        show.show,
        tree,
        brief.brief,
        tail.tail,
        intents.create,
        intents.status,
        intents.complete,
        intents.patch,
        intents.comment,
    ],
    PEOPLE: [door.mcp, intents.assign, ask, arbitrations.decide],
    OPERATION: [costs, failures, api, server.ping, login.login, login.logout],
}
for _panel, _commands in _COMMANDS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)

app.command(name="open", rich_help_panel=WORK)(open_page)
app.add_typer(arbitrations.app, name="arbitrate", rich_help_panel=PEOPLE)
app.add_typer(permits.app, name="permits", rich_help_panel=PEOPLE)
app.add_typer(gates.app, name="gates", rich_help_panel=PEOPLE)
app.add_typer(leases.app, name="leases", rich_help_panel=PEOPLE)
app.add_typer(delegations.app, name="delegations", rich_help_panel=PEOPLE)
app.add_typer(hooks.app, name="hook", rich_help_panel=PEOPLE)
app.add_typer(attachments.app, name="attachments", rich_help_panel=WORK)
app.add_typer(portfolios.app, name="portfolio", rich_help_panel=WORK)
app.add_typer(keys.app, name="keys", rich_help_panel=OPERATION)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=OPERATION)
app.add_typer(login.app, name="profiles", rich_help_panel=OPERATION)


def run() -> NoReturn:
    """Run the program. Raise SystemExit."""
    code: str | int | None = 0
    try:
        try:
            app(prog_name="openintent")
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
    except OutputError as error:
        if not error.is_closed:
            report_output_error(error)
    except Exception as error:
        report_internal_error(error)
    sys.exit(code)
