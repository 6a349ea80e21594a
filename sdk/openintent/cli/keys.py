"""API keys: list, create and revoke, for operators."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from ..enums import KeyRole
from .durations import ago, parse_future, time_left
from .help import Program
from .options import Json, Limit
from .output import Cell, Column
from .sanitize import escape
from .session import get_session

COLUMNS = [
    Column("ID"),
    Column("NAME", flexible=True),
    Column("ROLE"),
    Column("AGENT", min_width=80, flexible=True),
    Column("PREFIX", min_width=100),
    Column("STATUS"),
    Column("LAST USED", min_width=80),
]

app = Program(invoke_without_command=True, help="List, create and revoke API keys. For operators.")


@app.callback()
def keys(ctx: typer.Context, limit: Limit = 100, as_json: Json = False) -> None:
    """List, create and revoke API keys. For operators."""
    if ctx.invoked_subcommand:
        return
    run = get_session(ctx)
    found = run.client.list_keys(limit=limit)
    if as_json:
        return run.output.write_json({"keys": found})
    if not found:
        return run.output.print_note("No keys yet. Create one with: openintent keys create NAME")
    rows: list[list[Cell]] = []
    for each in found:
        if each.revoked_at:
            status = Text("revoked", style="dim")
        elif each.expires_at and each.expires_at <= datetime.now(UTC):
            status = Text("expired", style="dim")
        else:
            status = Text(f"{time_left(each.expires_at)} left" if each.expires_at else "active", style="green")
        used = ago(each.last_used_at) if each.last_used_at else "never"
        id = run.output.short_id(each.id)
        rows.append([id, each.name, str(each.role), each.agent_id or "any", each.prefix or "", status, used])
    run.output.print(run.output.table(COLUMNS, rows))


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the key, such as its purpose.", show_default=False)],
    role: Annotated[KeyRole, typer.Option("--role", help="Role: its permissions.")] = KeyRole.AGENT,
    bind: Annotated[
        str | None, typer.Option("--bind", metavar="AGENT", help="Bind the key: its requests act as this agent.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", metavar="WHEN", help="Expiry: 30d, or a time.")] = None,
    as_json: Json = False,
) -> None:
    """Create a key. Its secret is printed only here, alone on stdout: export OPENINTENT_API_KEY=$(openintent keys create me)"""
    run = get_session(ctx)
    made = run.client.create_key(name, role=role, agent_id=bind, expires_at=expires and parse_future(expires))
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(made.key or ""))
    bound = f", bound to {made.agent_id}" if made.agent_id else ""
    run.output.print_note(f"Key {made.id} ({made.name}, {made.role}{bound}). Store the secret now: it is not shown again.")


@app.command()
def revoke(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Id of a key, or a unique prefix or suffix.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Revoke a key at once, permanently."""
    run = get_session(ctx)
    id = run.key_id(key)
    run.client.revoke_key(id)
    if as_json:
        return run.output.write_json({"revoked": id})
    run.output.print(Text(escape(f"Revoked {id}.")))
