"""API keys. All of it is for operators."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from ..enums import KeyRole
from ..models import ApiKey
from .durations import ago, left, parse_future
from .options import Json, Limit
from .output import Cell, Column, Screen
from .sanitize import plain
from .session import session

COLUMNS = [
    Column("ID"),
    Column("NAME", flexible=True),
    Column("ROLE"),
    Column("AGENT", least=80, flexible=True),
    Column("BEGINS", least=100),
    Column("STATUS"),
    Column("LAST USED", least=80),
]

app = typer.Typer(invoke_without_command=True, help="List, create and revoke API keys. For operators.")


@app.callback()
def keys(ctx: typer.Context, limit: Limit = 100, as_json: Json = False) -> None:
    """List, create and revoke API keys. For operators."""
    if ctx.invoked_subcommand:
        return
    run = session(ctx)
    found = run.client.list_keys(limit=limit)
    if as_json:
        return run.screen.document({"keys": found})
    if not found:
        return run.screen.note("There is no key. Make one: openintent keys create NAME")
    run.screen.show(run.screen.table(COLUMNS, [_row(run.screen, each) for each in found]))


def _row(screen: Screen, key: ApiKey) -> list[Cell]:
    used = ago(key.last_used_at) if key.last_used_at else "never"
    return [screen.short(key.id), key.name, str(key.role), key.agent_id or "any", key.prefix or "", _standing(key), used]


def _standing(key: ApiKey) -> Text:
    if key.revoked_at:
        return Text("revoked", style="dim")
    if key.expires_at and key.expires_at <= datetime.now(UTC):
        return Text("expired", style="dim")
    return Text(f"{left(key.expires_at)} left" if key.expires_at else "good", style="green")


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.", show_default=False)],
    role: Annotated[KeyRole, typer.Option("--role", help="What it may do.")] = KeyRole.AGENT,
    bind: Annotated[str | None, typer.Option("--bind", metavar="AGENT", help="Whoever uses it acts as this agent.")] = None,
    expires: Annotated[str | None, typer.Option("--expires", metavar="WHEN", help="It ends then: 30d, or a time.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is printed this once, alone on stdout: export OPENINTENT_API_KEY=$(openintent keys create me)"""
    run = session(ctx)
    made = run.client.create_key(name, role=role, agent_id=bind, expires_at=expires and parse_future(expires))
    if as_json:
        return run.screen.document(made)
    run.screen.show(Text(made.key or ""))
    bound = f", bound to {made.agent_id}" if made.agent_id else ""
    run.screen.note(f"Key {made.id} ({made.name}, {made.role}{bound}). Keep the secret now: it is not shown again.")


@app.command()
def revoke(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="A key's id, or the beginning or end of it.", show_default=False)],
    as_json: Json = False,
) -> None:
    """End a key at once, for good."""
    run = session(ctx)
    id = run.key_id(key)
    run.client.revoke_key(id)
    if as_json:
        return run.screen.document({"revoked": id})
    run.screen.show(Text(plain(f"Revoked {id}.")))
