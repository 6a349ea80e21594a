"""Leases: list and revoke."""

from typing import Annotated

import typer
from rich.text import Text

from ..enums import LeaseStatus
from . import formatting
from .durations import time_left
from .help import Program
from .options import Json, Limit, OfIntent, Reason
from .output import Cell, Column
from .sanitize import escape
from .session import get_session

COLUMNS = [
    Column("ID"),
    Column("STATUS", min_width=110),
    Column("SCOPE", flexible=True),
    Column("HOLDER", flexible=True),
    Column("LEFT", justify="right"),
    Column("INTENT", min_width=60),
    Column("TOKEN", min_width=100, justify="right"),
]

app = Program(invoke_without_command=True, help="List leases; revoke one.")


@app.callback()
def leases(
    ctx: typer.Context,
    intent: OfIntent = None,
    agent: Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="Only those held by this agent.")] = None,
    status: Annotated[LeaseStatus, typer.Option("--status", "-s", help="Status of the leases.")] = LeaseStatus.ACTIVE,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List leases with their holder and time left; revoke one."""
    if ctx.invoked_subcommand:
        return
    run = get_session(ctx)
    if intent:
        found = run.client.get_leases(run.intent_id(intent), status=status)
        found = [each for each in found if agent in (None, each.agent_id)][:limit]
    else:
        found = run.client.list_leases(agent_id=agent, status=status, limit=limit)
    if as_json:
        return run.output.write_json({"leases": found})
    if not found:
        return run.output.print_note(
            f"No {status} leases." + (" Agents acquire them with client.lease(…)." if status == "active" else "")
        )
    rows: list[list[Cell]] = [
        [
            run.output.short_id(each.id),
            formatting.status(each.status),
            each.scope,
            each.agent_id,
            time_left(each.expires_at) if each.status == LeaseStatus.ACTIVE else "–",
            run.output.short_id(each.intent_id),
            str(each.fencing_token),
        ]
        for each in found
    ]
    run.output.print(run.output.table(COLUMNS, rows))


@app.command()
def revoke(
    ctx: typer.Context,
    lease: Annotated[
        str, typer.Argument(metavar="LEASE", help="Id of an active lease, or a unique prefix or suffix.", show_default=False)
    ],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Revoke a lease: its holder's next write fails. For arbiters and operators."""
    run = get_session(ctx)
    found = run.lease(lease)
    revoked = run.client.revoke_lease(found.intent_id, found.id, reason)
    if as_json:
        return run.output.write_json(revoked)
    run.output.print(Text(f"Revoked the lease of {escape(revoked.agent_id)} on {escape(revoked.scope)}"))
