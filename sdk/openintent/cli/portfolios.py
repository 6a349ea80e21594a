"""Intents that belong together."""

from typing import Annotated

import typer
from rich.text import Text

from ..enums import PortfolioStatus
from ..models import AggregateStatus, Portfolio, PortfolioMember
from . import formatting
from .durations import ago
from .json_output import dumps
from .options import IntentId, Json, Limit
from .output import Cell, Column, Screen
from .sanitize import plain, plain_lines
from .session import session

PortfolioId = Annotated[
    str, typer.Argument(metavar="PORTFOLIO", help="A portfolio's id, or the beginning or end of it.", show_default=False)
]

COLUMNS = [
    Column("ID"),
    Column("STATUS"),
    Column("NAME", flexible=True),
    Column("DONE", justify="right"),
    Column("", least=80),
    Column("INTENTS", least=60, justify="right"),
    Column("CREATED", least=110),
]
MEMBERS = [
    Column("ID"),
    Column("STATUS"),
    Column("TITLE", flexible=True),
    Column("ROLE", least=60, flexible=True),
    Column("PRIORITY", least=80, justify="right"),
]

app = typer.Typer(invoke_without_command=True, help="List portfolios with their progress; show, create and fill them.")


@app.callback()
def portfolio(
    ctx: typer.Context,
    status: Annotated[PortfolioStatus | None, typer.Option("--status", "-s", help="In this status.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List portfolios with their progress; show, create and fill them."""
    if ctx.invoked_subcommand:
        return
    run = session(ctx)
    found = run.client.list_portfolios(status=status, limit=limit)
    if as_json:
        return run.screen.document({"portfolios": found})
    if not found:
        return run.screen.note(
            'There is no portfolio. Make one: openintent portfolio create "Paris Trip"' if not status else "No match."
        )
    run.screen.show(run.screen.table(COLUMNS, [_row(run.screen, each) for each in found]))


def _row(screen: Screen, each: Portfolio) -> list[Cell]:
    progress = each.aggregate_status
    done = _share(progress)
    return [
        screen.short(each.id), formatting.status(each.status), each.name, f"{done:.0%}", formatting.bar(done), str(progress.total),
        ago(each.created_at),
    ]  # fmt: skip


def _share(progress: AggregateStatus) -> float:
    return (progress.completion_percentage or 0) / 100


@app.command()
def show(ctx: typer.Context, portfolio: PortfolioId, as_json: Json = False) -> None:
    """Show a portfolio: how far it is, its rules, its members."""
    run = session(ctx)
    found = run.client.get_portfolio(run.portfolio_id(portfolio))
    if as_json:
        return run.screen.document(found)
    _show(run.screen, found)


def _show(screen: Screen, found: Portfolio) -> None:
    progress = found.aggregate_status
    done = formatting.bar(_share(progress)).append(f"  {_share(progress):.0%} of {progress.total}", style="default")
    counts = ", ".join(f"{count} {name}" for name, count in progress.by_status.items() if count)
    screen.show(
        Text(plain(found.name), style="bold"),
        Text(found.id, style="dim"),
        "",
        screen.facts(
            [
                ("status", formatting.status(found.status)),
                ("done", done),
                ("intents", counts or None),
                ("created", f"{ago(found.created_at)} by {found.created_by}"),
            ]
        ),
    )
    if found.description:
        screen.show("", Text(plain_lines(found.description)))
    if found.governance_policy:
        screen.show("", Text("Policy", style="bold underline"), Text(dumps(found.governance_policy)))
    if found.intents:
        screen.show("", screen.table(MEMBERS, [_member(screen, each) for each in found.intents]))
    else:
        screen.note(f"It is empty. Put an intent into it: openintent portfolio add {found.id} INTENT")


def _member(screen: Screen, each: PortfolioMember) -> list[Cell]:
    return [screen.short(each.id), formatting.status(each.status), each.title, each.role, str(each.priority)]


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called.", show_default=False)],
    description: Annotated[str | None, typer.Option("--description", "-d", metavar="TEXT", help="What it is for.")] = None,
    require_all: Annotated[bool, typer.Option("--require-all", help="It completes only when all its members have.")] = False,
    as_json: Json = False,
) -> None:
    """Create an empty portfolio."""
    run = session(ctx)
    policy = {"require_all_completed": True} if require_all else None
    made = run.client.create_portfolio(name, description, governance_policy=policy)
    if as_json:
        return run.screen.document(made)
    run.screen.show(Text(f"Created {made.id}: ").append(plain(made.name), style="bold"))


@app.command()
def add(
    ctx: typer.Context,
    portfolio: PortfolioId,
    intent: IntentId,
    role: Annotated[
        str, typer.Option("--role", metavar="TEXT", help="primary (one at most), member, dependency, or another.")
    ] = "member",
    priority: Annotated[int, typer.Option("--priority", help="The highest comes first.")] = 0,
    as_json: Json = False,
) -> None:
    """Make an intent a member of a portfolio."""
    run = session(ctx)
    made = run.client.add_intent_to_portfolio(run.portfolio_id(portfolio), run.intent_id(intent), role, priority)
    if as_json:
        return run.screen.document(made)
    run.screen.show(Text("Added ").append(formatting.title(made)).append(plain(f", as {made.role}")))
