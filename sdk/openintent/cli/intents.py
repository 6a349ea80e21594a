"""Intents: list, create, and change them."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from ..enums import IntentStatus
from ..errors import ConflictError
from ..models import Intent
from . import formatting
from .durations import ago, parse_past
from .options import IntentId, Json, Limit, OfPortfolio, Reason, parse_pairs
from .output import Cell, Column, Output
from .sanitize import escape
from .session import Session, get_session

OPEN = [each for each in IntentStatus if each not in (IntentStatus.COMPLETED, IntentStatus.ABANDONED)]
TRIES = 5

COLUMNS = [
    Column("ID"),
    Column("STATUS"),
    Column("TITLE", flexible=True),
    Column("AGENTS", min_width=80, flexible=True),
    Column("VERSION", min_width=110, justify="right"),
    Column("UPDATED", min_width=60),
]

Statuses = Annotated[list[IntentStatus] | None, typer.Option("--status", "-s", help="Only with this status; may be repeated.")]
Assigned = Annotated[list[str] | None, typer.Option("--assign", metavar="AGENT", help="Agent to assign; may be repeated.")]
State = Annotated[
    list[str] | None, typer.Option("--state", metavar="NAME=VALUE", help="Key of the state, as JSON or text; may be repeated.")
]
Constraint = Annotated[
    list[str] | None,
    typer.Option("--constraint", metavar="NAME=VALUE", help="Constraint such as max_cost=50, as JSON or text; may be repeated."),
]


def intents(
    ctx: typer.Context,
    status: Statuses = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only open ones: neither completed nor abandoned.")] = False,
    agent: Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="Only those assigned to this agent.")] = None,
    created_by: Annotated[
        str | None, typer.Option("--created-by", metavar="WHO", help="Only those created by this person or agent.")
    ] = None,
    parent: Annotated[str | None, typer.Option("--parent", metavar="INTENT", help="Only children of this intent.")] = None,
    portfolio: OfPortfolio = None,
    text: Annotated[str | None, typer.Option("--text", "-t", help="Only those with these words in title or description.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Only those updated since then: 2h, 7d or a time such as 2027-01-15T09:30."),
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List intents, the latest update first."""
    run = get_session(ctx)
    wanted = [*(status or []), *(OPEN if open_only and not status else [])]
    filters: dict[str, Any] = {
        "status": ",".join(wanted) or None,
        "agent_id": agent,
        "created_by": created_by,
        "parent_intent_id": parent and run.intent_id(parent),
        "q": text,
        "updated_since": since and parse_past(since),
    }
    found: Sequence[Intent]
    if portfolio:
        found = [each for each in run.client.get_portfolio_intents(run.portfolio_id(portfolio)) if _matches(each, filters)]
    else:
        found = run.client.list_intents(**filters, ordering="-updated_at", limit=limit + 1)
    narrowed = portfolio is not None or any(filters.values())
    if as_json:
        return run.output.write_json({"intents": found[:limit]})
    if not found:
        return run.output.print_note("No intents match." if narrowed else NONE_YET)
    run.output.print(run.output.table(COLUMNS, [row(run.output, each) for each in found[:limit]]))
    if len(found) > limit:
        run.output.print_note(f"Showing the first {limit}. For more: --limit {limit * 10}")


NONE_YET = 'No intents yet. Create one with: openintent create "Book flights"'


def _matches(intent: Intent, filters: dict[str, Any]) -> bool:
    """Return whether an intent matches, as the server's list decides it; it has no such filters for a portfolio's members."""
    words = _words(f"{intent.title} {intent.description or ''}")
    tests: dict[str, Callable[[Any], bool]] = {
        "status": lambda given: intent.status in given.split(","),
        "agent_id": lambda given: given in [each.agent_id for each in intent.agents],
        "created_by": lambda given: given == intent.created_by,
        "parent_intent_id": lambda given: given == intent.parent_intent_id,
        "q": lambda given: all(any(each.startswith(word) for each in words) for word in _words(given)),
        "updated_since": lambda given: intent.updated_at >= given,
    }
    return all(tests[name](given) for name, given in filters.items() if given)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def row(output: Output, intent: Intent) -> list[Cell]:
    agents = ", ".join(each.agent_id for each in intent.agents)
    return [
        output.short_id(intent.id), formatting.status(intent.status), intent.title, agents, str(intent.version), ago(intent.updated_at),
    ]  # fmt: skip


def create(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="Title: the goal.", show_default=False)],
    description: Annotated[str | None, typer.Option("--description", "-d", metavar="TEXT", help="Long description.")] = None,
    assign: Assigned = None,
    parent: Annotated[str | None, typer.Option("--parent", metavar="INTENT", help="Parent intent.")] = None,
    depends_on: Annotated[
        list[str] | None, typer.Option("--depends-on", metavar="INTENT", help="Intent that must complete first; may be repeated.")
    ] = None,
    state: State = None,
    constraint: Constraint = None,
    confidence: Annotated[int | None, typer.Option("--confidence", min=0, max=100, help="Confidence in percent.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the id.")] = False,
    as_json: Json = False,
) -> None:
    """Create an intent."""
    run = get_session(ctx)
    made = run.client.create_intent(
        title,
        description,
        assign=assign or None,
        parent_intent_id=parent and run.intent_id(parent),
        depends_on=[run.intent_id(each) for each in depends_on] if depends_on else None,
        state=parse_pairs(state, "--state") if state else None,
        constraints=parse_pairs(constraint, "--constraint") if constraint else None,
        confidence=confidence,
    )
    if quiet and not as_json:
        run.output.print(made.id)
    else:
        _print_result(run, made, as_json, "Created")


def status(
    ctx: typer.Context,
    intent: IntentId,
    new: Annotated[IntentStatus, typer.Argument(metavar="STATUS", help="New status.", show_default=False)],
    reason: Reason = None,
    cascade: Annotated[bool, typer.Option("--cascade", help="With abandoned: also abandon all descendants.")] = False,
    as_json: Json = False,
) -> None:
    """Set the status of an intent: pending, active, blocked, completed or abandoned."""
    run = get_session(ctx)
    _print_result(run, _set_status(run, intent, new, reason, cascade), as_json, "Updated")


def complete(ctx: typer.Context, intent: IntentId, reason: Reason = None, as_json: Json = False) -> None:
    """Complete an intent, which unblocks its dependents."""
    run = get_session(ctx)
    _print_result(run, _set_status(run, intent, IntentStatus.COMPLETED, reason, cascade=False), as_json, "Completed")


def _set_status(run: Session, text: str, new: str, reason: str | None, cascade: bool) -> Intent:
    """Set the status, retrying conflicts as long as only other parts of the intent have changed."""
    seen = found = run.intent(text)
    for attempt in range(TRIES):
        try:
            return run.client.set_status(found.id, found.version, new, reason=reason, cascade=cascade)
        except ConflictError as error:
            found = run.client.get_intent(found.id)
            if error.code != "version_conflict" or found.status != seen.status or attempt == TRIES - 1:
                raise
    raise AssertionError


def patch(
    ctx: typer.Context,
    intent: IntentId,
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Keys to set, as JSON or text.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="NAME", help="Key to remove; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Change the state of an intent. NAME is a key, or with a leading / a JSON Pointer."""
    run = get_session(ctx)
    given = parse_pairs(values or [], "NAME=VALUE")
    patches: list[dict[str, Any]] = [{"op": "set", "path": name, "value": value} for name, value in given.items()]
    patches += [{"op": "remove", "path": name} for name in remove or []]
    if not patches:
        raise typer.BadParameter("Pass at least one NAME=VALUE, or --remove NAME.")
    found = run.intent(intent)
    _print_result(run, run.client.update_state(found.id, found.version, patches=patches), as_json, "Updated")


def assign(
    ctx: typer.Context,
    intent: IntentId,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Id of the agent.", show_default=False)],
    role: Annotated[str, typer.Option("--role", metavar="TEXT", help="Role of the agent.")] = "worker",
    remove: Annotated[bool, typer.Option("--remove", help="Unassign the agent instead.")] = False,
    as_json: Json = False,
) -> None:
    """Assign an intent to an agent, or unassign it."""
    run = get_session(ctx)
    id = run.intent_id(intent)
    if remove:
        run.client.unassign_agent(id, agent)
    else:
        run.client.assign_agent(id, agent, role=role)
    _print_result(run, run.client.get_intent(id), as_json, "Unassigned" if remove else "Assigned")


def comment(
    ctx: typer.Context,
    intent: IntentId,
    message: Annotated[str, typer.Argument(metavar="TEXT", help="Text of the comment.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Add a comment to the log of an intent."""
    run = get_session(ctx)
    event = run.client.log_event(run.intent_id(intent), "comment", {"message": message})
    if as_json:
        return run.output.write_json(event)
    run.output.print(run.output.lines([formatting.event_line(event, None)]))


def _print_result(run: Session, intent: Intent, as_json: bool, verb: str) -> None:
    """Print the intent after a change."""
    if as_json:
        return run.output.write_json(intent)
    line = Text(f"{verb} {intent.id}: ").append(formatting.title(intent)).append(", ").append(formatting.status(intent.status))
    line.append(f", version {intent.version}")
    if intent.agents:
        line.append(escape(f"; assigned to {formatting.agents(intent.agents)}"))
    run.output.print(line)
