"""Delegations: list, create and revoke."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from ..models import Delegation
from .durations import ago, parse_future, time_left
from .help import Program
from .options import Json, Limit
from .output import Cell, Column, Output
from .sanitize import escape
from .session import get_session

COLUMNS = [
    Column("ID"),
    Column("DELEGATE", flexible=True),
    Column("BY", flexible=True),
    Column("ACTIONS", min_width=80, flexible=True),
    Column("SCOPE", min_width=60, flexible=True),
    Column("STATUS"),
    Column("CREATED", min_width=100),
]

app = Program(invoke_without_command=True, help="List delegations; create and revoke one.")


@app.callback()
def delegations(
    ctx: typer.Context,
    delegate: Annotated[str | None, typer.Option("--to", metavar="AGENT", help="Only those to this agent.")] = None,
    delegator: Annotated[str | None, typer.Option("--by", metavar="WHO", help="Only those by this person or agent.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List delegations, also ended ones; create and revoke one."""
    if ctx.invoked_subcommand:
        return
    run = get_session(ctx)
    found = run.client.list_delegations(delegate=delegate, delegator=delegator, limit=limit)
    if as_json:
        return run.output.write_json({"delegations": found})
    if not found:
        return run.output.print_note("No delegations. Create one with: openintent delegations create AGENT")
    run.output.print(run.output.table(COLUMNS, [_row(run.output, each) for each in found]))


def _row(output: Output, each: Delegation) -> list[Cell]:
    scope = [*(f"intent {output.short_id(id)}" for id in each.scope.intents)]
    scope += [f"portfolio {output.short_id(id)}" for id in each.scope.portfolios]
    return [
        output.short_id(each.id),
        each.delegate,
        each.delegator,
        ", ".join(each.scope.actions) or "all",
        ", ".join(scope) or "all intents",
        _status(each),
        ago(each.created_at),
    ]


def _status(each: Delegation) -> Text:
    if each.revoked_at:
        return Text("revoked", style="dim")
    if each.expires_at and each.expires_at <= datetime.now(UTC):
        return Text("expired", style="dim")
    return Text(f"{time_left(each.expires_at)} left" if each.expires_at else "active", style="green")


@app.command()
def create(
    ctx: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Id of the agent that may act.", show_default=False)],
    intents: Annotated[
        list[str] | None, typer.Option("--intent", metavar="INTENT", help="Only on this intent; may be repeated.")
    ] = None,
    portfolios: Annotated[
        list[str] | None,
        typer.Option("--portfolio", metavar="PORTFOLIO", help="Only on members of this portfolio; may be repeated."),
    ] = None,
    actions: Annotated[
        list[str] | None, typer.Option("--action", metavar="ACTION", help="Only this action, such as decide; may be repeated.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", metavar="WHEN", help="Expiry: 2h, 7d or a time.")] = None,
    as_json: Json = False,
) -> None:
    """Let an agent decide arbitrations, on all intents or some. For arbiters and operators."""
    run = get_session(ctx)
    made = run.client.create_delegation(
        agent,
        intents=[run.intent_id(each) for each in intents or []],
        portfolios=[run.portfolio_id(each) for each in portfolios or []],
        actions=actions or [],
        expires_at=expires and parse_future(expires),
    )
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(escape(f"Created {made.id}: {made.delegate} may act for {made.delegator}")))


@app.command()
def revoke(
    ctx: typer.Context,
    delegation: Annotated[
        str, typer.Argument(metavar="DELEGATION", help="Id of a delegation, or a unique prefix or suffix.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Revoke a delegation at once. For its delegator and operators."""
    run = get_session(ctx)
    id = run.id_of(delegation, "delegation", run.client.list_delegations)
    run.client.revoke_delegation(id)
    if as_json:
        return run.output.write_json({"revoked": id})
    run.output.print(Text(f"Revoked {id}."))
