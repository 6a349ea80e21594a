"""Intents: list, create, and change them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from ..enums import IntentStatus
from ..errors import ConflictError
from ..models import Intent
from . import formatting
from .durations import ago, parse_past
from .options import IntentId, Json, Limit, OfPortfolio, Reason, pairs
from .output import Cell, Column, Screen
from .sanitize import plain
from .session import Session, session

OPEN = [each for each in IntentStatus if each not in (IntentStatus.COMPLETED, IntentStatus.ABANDONED)]
TRIES = 5

COLUMNS = [
    Column("ID"),
    Column("STATUS"),
    Column("TITLE", flexible=True),
    Column("AGENTS", least=80, flexible=True),
    Column("VERSION", least=110, justify="right"),
    Column("UPDATED", least=60),
]

Statuses = Annotated[list[IntentStatus] | None, typer.Option("--status", "-s", help="In this status; may be repeated.")]
Assigned = Annotated[list[str] | None, typer.Option("--assign", metavar="AGENT", help="Who is to do it; may be repeated.")]
State = Annotated[
    list[str] | None, typer.Option("--state", metavar="NAME=VALUE", help="A key of its state, as JSON or text; may be repeated.")
]
Constraint = Annotated[
    list[str] | None, typer.Option("--constraint", metavar="NAME=VALUE", help="As max_cost=50, as JSON or text; may be repeated.")
]


def intents(
    ctx: typer.Context,
    status: Statuses = None,
    open_only: Annotated[bool, typer.Option("--open", help="Neither completed nor abandoned.")] = False,
    agent: Annotated[str | None, typer.Option("--agent", metavar="AGENT", help="Assigned to this agent.")] = None,
    created_by: Annotated[str | None, typer.Option("--created-by", metavar="WHO", help="Made by this person or agent.")] = None,
    parent: Annotated[str | None, typer.Option("--parent", metavar="INTENT", help="Directly below this intent.")] = None,
    portfolio: OfPortfolio = None,
    text: Annotated[str | None, typer.Option("--text", "-t", help="With this text in title or description.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="Changed since then: 2h, 7d or a time as 2027-01-15T09:30.")
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List intents, those that changed last at the top."""
    run = session(ctx)
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
    _show(run.screen, found, limit, as_json, "No intent matches." if narrowed else NONE_YET)


NONE_YET = 'There are no intents yet. Make one: openintent create "Book flights"'


def _matches(intent: Intent, filters: dict[str, Any]) -> bool:
    """What the server does for a list of its own; it has no such filters for a portfolio's members."""
    text = f"{intent.title}\n{intent.description or ''}".casefold()
    tests: dict[str, Callable[[Any], bool]] = {
        "status": lambda given: intent.status in given.split(","),
        "agent_id": lambda given: given in [each.agent_id for each in intent.agents],
        "created_by": lambda given: given == intent.created_by,
        "parent_intent_id": lambda given: given == intent.parent_intent_id,
        "q": lambda given: given.casefold() in text,
        "updated_since": lambda given: intent.updated_at >= given,
    }
    return all(tests[name](given) for name, given in filters.items() if given)


def _show(screen: Screen, found: Sequence[Intent], limit: int, as_json: bool, empty: str) -> None:
    if as_json:
        return screen.document({"intents": found[:limit]})
    if not found:
        return screen.note(empty)
    screen.show(screen.table(COLUMNS, [row(screen, each) for each in found[:limit]]))
    if len(found) > limit:
        screen.note(f"The first {limit}; there are more: --limit {limit * 10}")


def row(screen: Screen, intent: Intent) -> list[Cell]:
    agents = ", ".join(each.agent_id for each in intent.agents)
    return [
        screen.short(intent.id), formatting.status(intent.status), intent.title, agents, str(intent.version), ago(intent.updated_at),
    ]  # fmt: skip


def create(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(help="What is to be reached.", show_default=False)],
    description: Annotated[str | None, typer.Option("--description", "-d", metavar="TEXT", help="The same at length.")] = None,
    assign: Assigned = None,
    parent: Annotated[str | None, typer.Option("--parent", metavar="INTENT", help="The intent that it is a part of.")] = None,
    depends_on: Annotated[
        list[str] | None, typer.Option("--depends-on", metavar="INTENT", help="What must complete first; may be repeated.")
    ] = None,
    state: State = None,
    constraint: Constraint = None,
    confidence: Annotated[int | None, typer.Option("--confidence", min=0, max=100, help="How sure it is, in percent.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print its id and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """Create an intent."""
    run = session(ctx)
    made = run.client.create_intent(
        title,
        description,
        assign=assign or None,
        parent_intent_id=parent and run.intent_id(parent),
        depends_on=[run.intent_id(each) for each in depends_on] if depends_on else None,
        state=pairs(state, "--state") if state else None,
        constraints=pairs(constraint, "--constraint") if constraint else None,
        confidence=confidence,
    )
    if quiet and not as_json:
        run.screen.show(made.id)
    else:
        changed(run, made, as_json, "Created")


def status(
    ctx: typer.Context,
    intent: IntentId,
    new: Annotated[IntentStatus, typer.Argument(metavar="STATUS", help="Where it goes.", show_default=False)],
    reason: Reason = None,
    cascade: Annotated[bool, typer.Option("--cascade", help="With abandoned: all that is below it, too.")] = False,
    as_json: Json = False,
) -> None:
    """Move an intent to another status: pending, active, blocked, completed or abandoned."""
    run = session(ctx)
    changed(run, _move(run, intent, new, reason, cascade), as_json, "Moved")


def complete(ctx: typer.Context, intent: IntentId, reason: Reason = None, as_json: Json = False) -> None:
    """Complete an intent: what waited for it can go on."""
    run = session(ctx)
    changed(run, _move(run, intent, IntentStatus.COMPLETED, reason, cascade=False), as_json, "Completed")


def _move(run: Session, text: str, new: str, reason: str | None, cascade: bool) -> Intent:
    """Whoever says this judged by its status; that its state changes meanwhile is no reason to ask again."""
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
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE…", help="What to set, as JSON or text.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="NAME", help="What to remove; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Change the state of an intent. NAME is a key, or with a leading / a JSON Pointer."""
    run = session(ctx)
    given = pairs(values or [], "NAME=VALUE")
    patches: list[dict[str, Any]] = [{"op": "set", "path": name, "value": value} for name, value in given.items()]
    patches += [{"op": "remove", "path": name} for name in remove or []]
    if not patches:
        raise typer.BadParameter("Give at least one NAME=VALUE, or --remove NAME.")
    found = run.intent(intent)
    changed(run, run.client.update_state(found.id, found.version, patches=patches), as_json, "Changed")


def assign(
    ctx: typer.Context,
    intent: IntentId,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id.", show_default=False)],
    role: Annotated[str, typer.Option("--role", metavar="TEXT", help="As what.")] = "worker",
    remove: Annotated[bool, typer.Option("--remove", help="Take it from the agent instead.")] = False,
    as_json: Json = False,
) -> None:
    """Assign an intent to an agent, or take it away from one."""
    run = session(ctx)
    id = run.intent_id(intent)
    if remove:
        run.client.unassign_agent(id, agent)
    else:
        run.client.assign_agent(id, agent, role=role)
    changed(run, run.client.get_intent(id), as_json, "Unassigned" if remove else "Assigned")


def comment(
    ctx: typer.Context,
    intent: IntentId,
    message: Annotated[str, typer.Argument(metavar="TEXT", help="What to say.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Say something about an intent, in its log."""
    run = session(ctx)
    event = run.client.log_event(run.intent_id(intent), "comment", {"message": message})
    if as_json:
        return run.screen.document(event)
    run.screen.show(run.screen.lines([formatting.event_line(event, None)]))


def changed(run: Session, intent: Intent, as_json: bool, verb: str) -> None:
    """Tell what has become of it."""
    if as_json:
        return run.screen.document(intent)
    told = Text(f"{verb} {intent.id}: ").append(formatting.title(intent)).append(", ").append(formatting.status(intent.status))
    run.screen.show(told.append(f", version {intent.version}").append(_waits(intent)))


def _waits(intent: Intent) -> str:
    return plain(f"; assigned to {formatting.agents(intent.agents)}") if intent.agents else ""
