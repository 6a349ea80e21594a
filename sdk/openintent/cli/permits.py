"""Permits: list those of an intent, and revoke one."""

from typing import Annotated

import typer
from rich.text import Text

from ..enums import PermitStatus
from . import formatting
from .durations import ago, time_left
from .help import Program
from .options import Json, Limit, Reason
from .output import Cell, Column
from .sanitize import escape
from .session import get_session

COLUMNS = [
    Column("ID"),
    Column("STATUS"),
    Column("ACT", flexible=True),
    Column("TARGET", flexible=True),
    Column("AGENT", min_width=60, flexible=True),
    Column("TIME LEFT", min_width=80),
    Column("OUTCOME", min_width=80),
    Column("GRANTED", min_width=100),
]

app = Program(invoke_without_command=True, help="List the permits of an intent; revoke one.")


@app.callback()
def permits(
    ctx: typer.Context,
    intent: Annotated[str | None, typer.Option("--intent", metavar="INTENT", help="The intent.", show_default=False)] = None,
    status: Annotated[
        PermitStatus | None, typer.Option("--status", "-s", help="Status of the permits.", show_default=False)
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the permits of an intent; revoke one."""
    if ctx.invoked_subcommand:
        return
    if intent is None:
        raise typer.BadParameter("is required: the intent whose permits are listed.", param_hint="--intent")
    run = get_session(ctx)
    found = run.client.get_permits(run.intent_id(intent), status=status, limit=limit)
    if as_json:
        return run.output.write_json({"permits": found})
    if not found:
        return run.output.print_note("No permits. Agents ask for one with client.request_permit(…)")
    rows: list[list[Cell]] = [
        [
            run.output.short_id(each.id),
            formatting.status(each.status),
            each.verb,
            each.target,
            each.agent_id,
            time_left(each.expires_at) if each.status == PermitStatus.LIVE else "",
            each.outcome or "",
            ago(each.created_at),
        ]
        for each in found
    ]
    run.output.print(run.output.table(COLUMNS, rows))


@app.command()
def revoke(
    ctx: typer.Context,
    permit: Annotated[str, typer.Argument(metavar="PERMIT", help="Id of a permit.", show_default=False)],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """End a live permit. For the agent that asked for it, arbiters and operators."""
    run = get_session(ctx)
    revoked = run.client.revoke_permit(permit, reason)
    if as_json:
        return run.output.write_json(revoked)
    run.output.print(Text(escape(f"Revoked {revoked.id}: {revoked.agent_id} may no longer {revoked.verb} {revoked.target}")))
