"""Who holds what."""

from typing import Annotated

import typer
from rich.text import Text

from ..enums import LeaseStatus
from ..models import Lease
from . import formatting
from .durations import left
from .options import Json, Limit, OfIntent, Reason
from .output import Cell, Column, Screen
from .sanitize import plain
from .session import session

COLUMNS = [
    Column("ID"),
    Column("STATUS", least=110),
    Column("SCOPE", flexible=True),
    Column("HOLDER", flexible=True),
    Column("LEFT", justify="right"),
    Column("INTENT", least=60),
    Column("TOKEN", least=100, justify="right"),
]

app = typer.Typer(invoke_without_command=True, help="List who holds which parts of intents; take a lease away.")


@app.callback()
def leases(
    ctx: typer.Context,
    intent: OfIntent = None,
    agent: Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="Held by this agent.")] = None,
    status: Annotated[LeaseStatus, typer.Option("--status", "-s", help="How they stand.")] = LeaseStatus.ACTIVE,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List who holds which parts of intents, and for how long; take a lease away."""
    if ctx.invoked_subcommand:
        return
    run = session(ctx)
    if intent:
        found = run.client.get_leases(run.intent_id(intent), status=status)
        found = [each for each in found if agent in (None, each.agent_id)][:limit]
    else:
        found = run.client.list_leases(agent_id=agent, status=status, limit=limit)
    if as_json:
        return run.screen.document({"leases": found})
    if not found:
        return run.screen.note(
            f"No lease is {status}." + (" Agents take them with client.lease(…)." if status == "active" else "")
        )
    run.screen.show(run.screen.table(COLUMNS, [_row(run.screen, each) for each in found]))


def _row(screen: Screen, lease: Lease) -> list[Cell]:
    remains = left(lease.expires_at) if lease.status == LeaseStatus.ACTIVE else "over"
    return [
        screen.short(lease.id), formatting.status(lease.status), lease.scope, lease.agent_id, remains, screen.short(lease.intent_id),
        str(lease.fencing_token),
    ]  # fmt: skip


@app.command()
def revoke(
    ctx: typer.Context,
    lease: Annotated[
        str, typer.Argument(metavar="LEASE", help="An active lease's id, or the beginning or end of it.", show_default=False)
    ],
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Take a lease from its holder, whose next write with it fails. For arbiters and operators."""
    run = session(ctx)
    found = run.lease(lease)
    revoked = run.client.revoke_lease(found.intent_id, found.id, reason)
    if as_json:
        return run.screen.document(revoked)
    run.screen.show(Text(f"Revoked: {plain(revoked.agent_id)} does not hold {plain(revoked.scope)} any more."))
