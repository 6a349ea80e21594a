"""Questions for people: what waits for a decision, asking, deciding."""

import sys
from typing import Annotated, Any

import typer
from rich.text import Text

from ..enums import ArbitrationStatus
from ..errors import ConflictError
from ..models import Arbitration, Decision
from ..resources.governance import NewOption
from . import formatting
from .durations import ago, clock, left, parse_future
from .json_output import dumps
from .options import IntentId, Json, Limit, OfIntent, Reason, pairs
from .output import Column, Screen
from .sanitize import plain, plain_lines
from .session import session

ArbitrationId = Annotated[
    str,
    typer.Argument(metavar="ID", help="The question's id or its intent's, or the beginning or end of it.", show_default=False),
]

COLUMNS = [
    Column("ID"),
    Column("STATUS", least=100),
    Column("QUESTION", flexible=True),
    Column("OPTIONS", least=80, flexible=True),
    Column("BY", least=60, flexible=True),
    Column("ASKED"),
    Column("BLOCKS", least=100),
]

app = typer.Typer(invoke_without_command=True, help="List what waits for a decision; ask, show and withdraw questions.")


@app.callback()
def arbitrate(
    ctx: typer.Context,
    intent: OfIntent = None,
    status: Annotated[ArbitrationStatus, typer.Option("--status", "-s", help="How they stand.")] = ArbitrationStatus.PENDING,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List what waits for a decision; ask, show and withdraw questions."""
    if ctx.invoked_subcommand:
        return
    run = session(ctx)
    if intent:
        found = run.client.get_arbitrations(run.intent_id(intent), status=status, limit=limit)
    else:
        found = run.client.list_arbitrations(status=status, limit=limit)
    if as_json:
        return run.screen.document({"arbitrations": found})
    if not found:
        pending = (
            "Nothing waits for a decision. Agents ask with client.request_arbitration(…), you with: openintent arbitrate ask"
        )
        return run.screen.note(pending if status == ArbitrationStatus.PENDING else f"No question is {status}.")
    run.screen.show(run.screen.table(COLUMNS, [_row(run.screen, each) for each in found]))


def _row(screen: Screen, asked: Arbitration) -> list[str | Text]:
    options = ", ".join(each.label for each in asked.options)
    blocks = "yes" if asked.blocking else ""
    status = formatting.status(asked.status)
    return [screen.short(asked.id), status, asked.reason, options, asked.requester_id, ago(asked.created_at), blocks]


@app.command()
def ask(
    ctx: typer.Context,
    intent: IntentId,
    reason: Annotated[str, typer.Argument(metavar="QUESTION", help="What is to be decided.", show_default=False)],
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", metavar="LABEL[=WHY]", help="A way out; may be repeated.")
    ] = None,
    context: Annotated[
        list[str] | None, typer.Option("--context", metavar="NAME=VALUE", help="What one should know; may be repeated.")
    ] = None,
    blocking: Annotated[bool, typer.Option("--blocking", help="The intent is blocked until it is decided.")] = False,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="WHEN", help="Nobody decides after: 2h, 7d or a time.")
    ] = None,
    wait: Annotated[
        float | None, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait for the decision, so long at most.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask for a decision about an intent. With --wait, the exit code is 4 if there is none."""
    run = session(ctx)
    asked = run.client.request_arbitration(
        run.intent_id(intent),
        reason,
        options=[_option(each) for each in option] if option else None,
        context=pairs(context, "--context") if context else None,
        blocking=blocking or None,
        expires_at=expires and parse_future(expires),
    )
    if wait is not None:
        if not as_json:
            run.screen.note(f"Asked: {asked.id}. Waiting for the decision …")
        asked = run.client.wait_for_decision(asked.intent_id, asked.id, timeout=wait)
    if as_json:
        return run.screen.document(asked)
    if asked.decision:
        return run.screen.show(_decided(asked.decision))
    run.screen.show(Text(f"Asked. Somebody decides it with: openintent decide {asked.id}"))


def _option(text: str) -> NewOption:
    label, sign, why = text.partition("=")
    return NewOption(label=label, rationale=why) if sign else NewOption(label=label)


@app.command()
def show(ctx: typer.Context, id: ArbitrationId, as_json: Json = False) -> None:
    """Show a question: its options, what one should know, and the decision if there is one."""
    run = session(ctx)
    asked = run.arbitration(id)
    if as_json:
        return run.screen.document(asked)
    _show(run.screen, asked)


@app.command()
def withdraw(ctx: typer.Context, id: ArbitrationId, reason: Reason = None, as_json: Json = False) -> None:
    """Take a question back. For whoever asked it, arbiters and operators."""
    run = session(ctx)
    withdrawn = run.client.withdraw_arbitration(run.arbitration(id).id, reason)
    if as_json:
        return run.screen.document(withdrawn)
    run.screen.show(Text(f"Withdrawn: {plain(withdrawn.reason)}"))


def decide(
    ctx: typer.Context,
    id: ArbitrationId,
    choice: Annotated[
        str | None,
        typer.Argument(metavar="[CHOICE]", help="The decision: one of the labels, if there are options.", show_default=False),
    ] = None,
    rationale: Annotated[
        str | None, typer.Option("--rationale", "-r", metavar="TEXT", help="Why; whoever asked reads it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide a question, for good. Without CHOICE it is shown, and asked on the terminal.

    For operators, for arbiters (but not what they asked themselves), and for agents with a delegation.
    """
    run = session(ctx)
    asked = run.arbitration(id)
    if asked.status != ArbitrationStatus.PENDING:
        ended = (
            f"It was decided: {asked.decision.decision}, by {asked.decision.decided_by}."
            if asked.decision
            else f"It is {asked.status}."
        )
        raise ConflictError(ended, code="arbitration_resolved")
    if choice is None:
        choice, rationale = _asked(run.screen, asked, rationale, as_json)
    made = run.client.record_decision(asked.intent_id, choice, rationale, arbitration_id=asked.id)
    if as_json:
        return run.screen.document(made)
    run.screen.show(_decided(made))


def _asked(screen: Screen, asked: Arbitration, rationale: str | None, as_json: bool) -> tuple[str, str | None]:
    """What the person at the terminal says. Raises BadParameter if there is none, Abort."""
    if as_json or not sys.stdin.isatty():
        labels = ", ".join(each.label for each in asked.options) or "any text"
        raise typer.BadParameter(plain(f"Give a CHOICE: {labels}."))
    _show(screen, asked)
    screen.show("")
    choice = _chosen(asked)
    if rationale is None:
        rationale = typer.prompt("Why (Enter for no reason)", default="", show_default=False) or None
    typer.confirm(plain(f"Decide for {choice}? It is for good."), default=True, abort=True)
    return choice, rationale


def _chosen(asked: Arbitration) -> str:
    """A label, or what stands for it in the list."""
    labels = {str(number): each.label for number, each in enumerate(asked.options, 1)}
    while True:
        said = str(typer.prompt(f"Decision (1 to {len(labels)}, or its label)" if labels else "Decision")).strip()
        if not labels or said in labels.values():
            return said
        if said in labels:
            return labels[said]
        typer.echo("That is none of the options.", err=True)


def _show(screen: Screen, asked: Arbitration) -> None:
    facts: list[tuple[str, Any]] = [
        ("id", asked.id),
        ("intent", asked.intent_id),
        ("status", formatting.status(asked.status)),
        ("asked", f"{clock(asked.created_at)} by {asked.requester_id} ({ago(asked.created_at)})"),
        ("blocks", "yes: the intent waits for it" if asked.blocking else None),
        ("time left", left(asked.expires_at) if asked.expires_at else None),
    ]
    screen.show(Text(plain_lines(asked.reason), style="bold"), "", screen.facts(facts))
    if asked.context:
        screen.show("", Text(dumps(asked.context)))
    if asked.options:
        screen.show("", *(_way_out(number, each.label, each.rationale) for number, each in enumerate(asked.options, 1)))
    if asked.decision:
        screen.show("", _decided(asked.decision))


def _way_out(number: int, label: str, why: str | None) -> Text:
    return Text(f"  {number}  ").append(plain(label), style="bold").append(plain(f"  {why}" if why else ""))


def _decided(made: Decision) -> Text:
    text = Text("Decided: ").append(plain(made.decision), style="bold").append(plain(f", by {made.decided_by}"))
    return text.append(plain(f" – {made.rationale}") if made.rationale else "")
