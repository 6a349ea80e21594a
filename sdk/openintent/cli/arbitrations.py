"""Arbitrations: list, request, show, withdraw and decide."""

import sys
from typing import Annotated, Any

import typer
from rich.text import Text

from ..enums import ArbitrationStatus
from ..errors import ConflictError
from ..models import Arbitration, Decision
from ..resources.governance import NewOption
from . import formatting
from .durations import ago, format_time, parse_future, time_left
from .help import Program
from .json_output import dumps
from .options import IntentId, Json, Limit, OfIntent, Reason, parse_pairs
from .output import Cell, Column, Output
from .sanitize import escape, escape_lines
from .session import get_session

ArbitrationId = Annotated[
    str,
    typer.Argument(metavar="ID", help="Id of an arbitration or its intent, or a unique prefix or suffix.", show_default=False),
]

COLUMNS = [
    Column("ID"),
    Column("STATUS", min_width=100),
    Column("QUESTION", flexible=True),
    Column("OPTIONS", min_width=80, flexible=True),
    Column("BY", min_width=60, flexible=True),
    Column("REQUESTED"),
    Column("BLOCKING", min_width=100),
]

app = Program(invoke_without_command=True, help="List arbitrations; request, show and withdraw one.")


@app.callback()
def arbitrate(
    ctx: typer.Context,
    intent: OfIntent = None,
    status: Annotated[
        ArbitrationStatus, typer.Option("--status", "-s", help="Status of the arbitrations.")
    ] = ArbitrationStatus.PENDING,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List arbitrations; request, show and withdraw one."""
    if ctx.invoked_subcommand:
        return
    run = get_session(ctx)
    if intent:
        found = run.client.get_arbitrations(run.intent_id(intent), status=status, limit=limit)
    else:
        found = run.client.list_arbitrations(status=status, limit=limit)
    if as_json:
        return run.output.write_json({"arbitrations": found})
    if not found:
        pending = "No pending arbitrations. Agents request them with client.request_arbitration(…), people with: openintent arbitrate ask"
        return run.output.print_note(pending if status == ArbitrationStatus.PENDING else f"No {status} arbitrations.")
    rows: list[list[Cell]] = [
        [
            run.output.short_id(each.id),
            formatting.status(each.status),
            each.reason,
            ", ".join(option.label for option in each.options),
            each.requester_id,
            ago(each.created_at),
            "yes" if each.blocking else "",
        ]
        for each in found
    ]
    run.output.print(run.output.table(COLUMNS, rows))


@app.command()
def ask(
    ctx: typer.Context,
    intent: IntentId,
    reason: Annotated[str, typer.Argument(metavar="QUESTION", help="The question to decide.", show_default=False)],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="LABEL[=WHY]", help="Option, with an optional rationale; may be repeated."),
    ] = None,
    context: Annotated[
        list[str] | None, typer.Option("--context", metavar="NAME=VALUE", help="Context for the decision; may be repeated.")
    ] = None,
    blocking: Annotated[bool, typer.Option("--blocking", help="Block the intent until the decision.")] = False,
    expires: Annotated[str | None, typer.Option("--expires", metavar="WHEN", help="Expiry: 2h, 7d or a time.")] = None,
    wait: Annotated[
        float | None, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait for the decision, at most so long.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Request a decision about an intent. With --wait, the exit code is 4 if there is none."""
    run = get_session(ctx)
    options = [
        NewOption(label=label, rationale=why) if sign else NewOption(label=label)
        for label, sign, why in (each.partition("=") for each in option or ())
    ]
    asked = run.client.request_arbitration(
        run.intent_id(intent),
        reason,
        options=options or None,
        context=parse_pairs(context, "--context") if context else None,
        blocking=blocking or None,
        expires_at=expires and parse_future(expires),
    )
    if wait is not None:
        if not as_json:
            run.output.print_note(f"Requested {asked.id}. Waiting for the decision …")
        asked = run.client.wait_for_decision(asked.intent_id, asked.id, timeout=wait)
    if as_json:
        return run.output.write_json(asked)
    if asked.decision:
        return run.output.print(_format_decision(asked.decision))
    run.output.print(Text(f"Requested. Decide it with: openintent decide {asked.id}"))


@app.command()
def show(ctx: typer.Context, id: ArbitrationId, as_json: Json = False) -> None:
    """Show an arbitration: question, options, context, and the decision if there is one."""
    run = get_session(ctx)
    asked = run.arbitration(id)
    if as_json:
        return run.output.write_json(asked)
    _show(run.output, asked)


@app.command()
def withdraw(ctx: typer.Context, id: ArbitrationId, reason: Reason = None, as_json: Json = False) -> None:
    """Withdraw an arbitration. For its requester, arbiters and operators."""
    run = get_session(ctx)
    withdrawn = run.client.withdraw_arbitration(run.arbitration(id).id, reason)
    if as_json:
        return run.output.write_json(withdrawn)
    run.output.print(Text(f"Withdrawn: {escape(withdrawn.reason)}"))


def decide(
    ctx: typer.Context,
    id: ArbitrationId,
    choice: Annotated[
        str | None,
        typer.Argument(
            metavar="CHOICE", help="The decision: one of the options' labels, if there are options.", show_default=False
        ),
    ] = None,
    rationale: Annotated[
        str | None, typer.Option("--rationale", "-r", metavar="TEXT", help="Rationale, visible to the requester.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide an arbitration, permanently. Without CHOICE the terminal prompts for it.

    For operators, arbiters (except on their own requests), and agents with a delegation.
    """
    run = get_session(ctx)
    asked = run.arbitration(id)
    if asked.status != ArbitrationStatus.PENDING:
        ended = (
            f"It is already decided: {asked.decision.decision}, by {asked.decision.decided_by}."
            if asked.decision
            else f"It is already {asked.status}."
        )
        raise ConflictError(ended, code="arbitration_resolved")
    if choice is None:
        choice, rationale = _prompt(run.output, asked, rationale, as_json)
    made = run.client.record_decision(asked.intent_id, choice, rationale, arbitration_id=asked.id)
    if as_json:
        return run.output.write_json(made)
    run.output.print(_format_decision(made))


def _prompt(output: Output, asked: Arbitration, rationale: str | None, as_json: bool) -> tuple[str, str | None]:
    """Prompt for the choice (an option's label or number, or any text without options) and the rationale.

    Raise BadParameter without a terminal, and Abort.
    """
    if as_json or not sys.stdin.isatty():
        choices = ", ".join(each.label for each in asked.options) or "any text"
        raise typer.BadParameter(escape(f"Pass a CHOICE: {choices}."))
    _show(output, asked)
    output.print("")
    labels = {str(number): each.label for number, each in enumerate(asked.options, 1)}
    while True:
        answer = str(typer.prompt(f"Decision (1 to {len(labels)}, or a label)" if labels else "Decision")).strip()
        choice = answer if answer in labels.values() else labels.get(answer, answer)
        if not labels or choice in labels.values():
            break
        typer.echo("Not one of the options.", err=True)
    if rationale is None:
        rationale = typer.prompt("Rationale (optional)", default="", show_default=False) or None
    typer.confirm(escape(f"Decide for {choice}? This is final."), default=True, abort=True)
    return choice, rationale


def _show(output: Output, asked: Arbitration) -> None:
    fields: list[tuple[str, Any]] = [
        ("id", asked.id),
        ("intent", asked.intent_id),
        ("status", formatting.status(asked.status)),
        ("requested", f"{format_time(asked.created_at)} by {asked.requester_id} ({ago(asked.created_at)})"),
        ("blocking", "yes: the intent is blocked" if asked.blocking else None),
        ("time left", time_left(asked.expires_at) if asked.expires_at else None),
    ]
    output.print(Text(escape_lines(asked.reason), style="bold"), "", output.fields_table(fields))
    if asked.context:
        output.print("", Text(dumps(asked.context)))
    if asked.options:
        output.print("")
        for number, each in enumerate(asked.options, 1):
            line = Text(f"  {number}  ").append(escape(each.label), style="bold")
            output.print(line.append(escape(f"  {each.rationale}" if each.rationale else "")))
    if asked.decision:
        output.print("", _format_decision(asked.decision))


def _format_decision(made: Decision) -> Text:
    text = Text("Decided: ").append(escape(made.decision), style="bold").append(escape(f", by {made.decided_by}"))
    return text.append(escape(f" – {made.rationale}") if made.rationale else "")
