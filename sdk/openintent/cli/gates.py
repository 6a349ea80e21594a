"""Gates: list, set and remove, for operators."""

from typing import Annotated

import typer
from rich.text import Text

from ..models import Gate
from .durations import ago
from .help import Program
from .json_output import dumps
from .options import Json, Limit, at_most_one, parse_pairs
from .output import Cell, Column, Output
from .sanitize import escape
from .session import get_session

COLUMNS = [
    Column("ID"),
    Column("OPERATION", flexible=True),
    Column("WHERE", flexible=True),
    Column("WHEN", min_width=80, flexible=True),
    Column("QUORUM", min_width=60),
    Column("DECIDERS", min_width=80, flexible=True),
    Column("SET", min_width=100),
]

app = Program(invoke_without_command=True, help="List gates; set and remove one, for operators.")


@app.callback()
def gates(ctx: typer.Context, limit: Limit = 100, as_json: Json = False) -> None:
    """List gates: the operations that need a permit. Set and remove one, for operators."""
    if ctx.invoked_subcommand:
        return
    run = get_session(ctx)
    found = run.client.list_gates(limit=limit)
    if as_json:
        return run.output.write_json({"gates": found})
    if not found:
        return run.output.print_note("No gates. Set one with: openintent gates set OPERATION")
    run.output.print(run.output.table(COLUMNS, [_row(run.output, each) for each in found]))


def _row(output: Output, each: Gate) -> list[Cell]:
    where = f"intent {output.short_id(each.intent_id)}" if each.intent_id else "everywhere"
    if each.portfolio_id:
        where = f"portfolio {output.short_id(each.portfolio_id)}"
    when = dumps(each.when) if each.when else ""
    deciders = ", ".join(each.deciders) or "any"
    return [output.short_id(each.id), each.verb, where, when, str(each.quorum), deciders, ago(each.created_at)]


@app.command("set")
def set_gate(
    ctx: typer.Context,
    verb: Annotated[
        str, typer.Argument(metavar="OPERATION", help="Operation of the API, such as set_status, or an act.", show_default=False)
    ],
    intent: Annotated[str | None, typer.Option("--intent", metavar="INTENT", help="Only on this intent.")] = None,
    portfolio: Annotated[
        str | None, typer.Option("--portfolio", metavar="PORTFOLIO", help="Only on this portfolio and its members.")
    ] = None,
    when: Annotated[
        list[str] | None,
        typer.Option("--when", metavar="NAME=VALUE", help="Only with this parameter, such as status=completed; may be repeated."),
    ] = None,
    quorum: Annotated[int | None, typer.Option("--quorum", min=1, help="How many must grant.", show_default=False)] = None,
    decider: Annotated[
        list[str] | None,
        typer.Option("--decider", metavar="WHO", help="Who may grant: user:NAME, group:NAME or an agent; may be repeated."),
    ] = None,
    permit_seconds: Annotated[
        int | None, typer.Option("--permit-seconds", min=1, help="How long a permit lasts.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Let an operation need a permit: on an intent, on a portfolio, or everywhere. For operators."""
    at_most_one(**{"--intent": intent, "--portfolio": portfolio})
    run = get_session(ctx)
    made = run.client.set_gate(
        verb,
        intent_id=intent and run.intent_id(intent),
        portfolio_id=portfolio and run.portfolio_id(portfolio),
        when=parse_pairs(when, "--when") if when else None,
        quorum=quorum,
        deciders=decider,
        permit_seconds=permit_seconds,
    )
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(escape(f"Set {made.id}: {made.verb} needs a permit")))


@app.command()
def remove(
    ctx: typer.Context,
    gate: Annotated[str, typer.Argument(metavar="GATE", help="Id of a gate, or a unique prefix or suffix.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Remove a gate at once. For operators."""
    run = get_session(ctx)
    id = run.id_of(gate, "gate", run.client.list_gates)
    run.client.remove_gate(id)
    if as_json:
        return run.output.write_json({"removed": id})
    run.output.print(Text(f"Removed {id}."))
