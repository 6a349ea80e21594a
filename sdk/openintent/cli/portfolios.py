"""Portfolios: list, show, create and fill."""

from typing import Annotated

import typer
from rich.text import Text

from ..enums import PortfolioStatus
from ..models import AggregateStatus
from . import formatting
from .durations import ago
from .help import Program
from .json_output import dumps
from .options import IntentId, Json, Limit
from .output import Cell, Column
from .sanitize import escape, escape_lines
from .session import get_session

PortfolioId = Annotated[
    str, typer.Argument(metavar="PORTFOLIO", help="Id of a portfolio, or a unique prefix or suffix.", show_default=False)
]

COLUMNS = [
    Column("ID"),
    Column("STATUS"),
    Column("NAME", flexible=True),
    Column("DONE", justify="right"),
    Column("", min_width=80),
    Column("INTENTS", min_width=60, justify="right"),
    Column("CREATED", min_width=110),
]
MEMBERS = [
    Column("ID"),
    Column("STATUS"),
    Column("TITLE", flexible=True),
    Column("ROLE", min_width=60, flexible=True),
    Column("PRIORITY", min_width=80, justify="right"),
]

app = Program(invoke_without_command=True, help="List portfolios with their progress; show, create and fill one.")


@app.callback()
def portfolio(
    ctx: typer.Context,
    status: Annotated[PortfolioStatus | None, typer.Option("--status", "-s", help="Only with this status.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List portfolios with their progress; show, create and fill one."""
    if ctx.invoked_subcommand:
        return
    run = get_session(ctx)
    found = run.client.list_portfolios(status=status, limit=limit)
    if as_json:
        return run.output.write_json({"portfolios": found})
    if not found:
        return run.output.print_note(
            'No portfolios yet. Create one with: openintent portfolio create "Paris Trip"'
            if not status
            else "No portfolios match."
        )
    rows: list[list[Cell]] = [
        [
            run.output.short_id(each.id),
            formatting.status(each.status),
            each.name,
            f"{_share(each.aggregate_status):.0%}",
            formatting.bar(_share(each.aggregate_status)),
            str(each.aggregate_status.total),
            ago(each.created_at),
        ]
        for each in found
    ]
    run.output.print(run.output.table(COLUMNS, rows))


def _share(progress: AggregateStatus) -> float:
    return (progress.completion_percentage or 0) / 100


@app.command()
def show(ctx: typer.Context, portfolio: PortfolioId, as_json: Json = False) -> None:
    """Show a portfolio: progress, policy and members."""
    run = get_session(ctx)
    found = run.client.get_portfolio(run.portfolio_id(portfolio))
    if as_json:
        return run.output.write_json(found)
    output = run.output
    progress = found.aggregate_status
    done = formatting.bar(_share(progress)).append(f"  {_share(progress):.0%} of {progress.total}", style="default")
    counts = ", ".join(f"{count} {name}" for name, count in progress.by_status.items() if count)
    output.print(
        Text(escape(found.name), style="bold"),
        Text(found.id, style="dim"),
        "",
        output.fields_table(
            [
                ("status", formatting.status(found.status)),
                ("done", done),
                ("intents", counts or None),
                ("created", f"{ago(found.created_at)} by {found.created_by}"),
            ]
        ),
    )
    if found.description:
        output.print("", Text(escape_lines(found.description)))
    if found.governance_policy:
        output.print("", Text("Policy", style="bold underline"), Text(dumps(found.governance_policy)))
    if found.intents:
        rows: list[list[Cell]] = [
            [output.short_id(each.id), formatting.status(each.status), each.title, each.role, str(each.priority)]
            for each in found.intents
        ]
        output.print("", output.table(MEMBERS, rows))
    else:
        output.print_note(f"No members yet. Add an intent with: openintent portfolio add {found.id} INTENT")


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the portfolio.", show_default=False)],
    description: Annotated[str | None, typer.Option("--description", "-d", metavar="TEXT", help="Description.")] = None,
    require_all: Annotated[bool, typer.Option("--require-all", help="Require all members completed.")] = False,
    as_json: Json = False,
) -> None:
    """Create an empty portfolio."""
    run = get_session(ctx)
    policy = {"require_all_completed": True} if require_all else None
    made = run.client.create_portfolio(name, description, governance_policy=policy)
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(f"Created {made.id}: ").append(escape(made.name), style="bold"))


@app.command()
def add(
    ctx: typer.Context,
    portfolio: PortfolioId,
    intent: IntentId,
    role: Annotated[
        str, typer.Option("--role", metavar="TEXT", help="Role: primary (one at most), member, dependency, or another.")
    ] = "member",
    priority: Annotated[int, typer.Option("--priority", help="Priority; the highest comes first.")] = 0,
    as_json: Json = False,
) -> None:
    """Add an intent to a portfolio."""
    run = get_session(ctx)
    made = run.client.add_intent_to_portfolio(run.portfolio_id(portfolio), run.intent_id(intent), role, priority)
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text("Added ").append(formatting.title(made)).append(escape(f", as {made.role}")))
