"""One intent, with all that one wants to know about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from ..enums import ArbitrationStatus, IntentStatus
from ..models import Arbitration, CostSummary, Event, Intent, Lease
from . import formatting
from .costs import amounts
from .durations import ago, clock, left
from .json_output import dumps
from .options import IntentId, Json
from .output import Cell, Column, Screen
from .sanitize import plain, plain_lines
from .session import Session, session

ENDED = (IntentStatus.COMPLETED, IntentStatus.ABANDONED)
CHILDREN = 50

RELATED = [Column("ID"), Column("STATUS"), Column("TITLE", flexible=True)]
LEASES = [
    Column("ID"),
    Column("SCOPE", flexible=True),
    Column("HOLDER", flexible=True),
    Column("LEFT"),
    Column("TOKEN", least=60),
]


@dataclass(frozen=True)
class Around:
    """An intent and what belongs to it."""

    intent: Intent
    dependencies: list[Intent]
    children: list[Intent]
    leases: list[Lease]
    arbitrations: list[Arbitration]
    costs: CostSummary
    events: list[Event]

    @property
    def waiting_for(self) -> list[str]:
        """What must end before it can complete (rule G-4) or go on (rule A-2)."""
        if self.intent.status in ENDED:
            return []
        dependencies = [each.id for each in self.dependencies if each.status != IntentStatus.COMPLETED]
        children = [each.id for each in self.children if each.status not in ENDED]
        return [*dependencies, *children, *(each.id for each in self.arbitrations if each.blocking)]


def show(
    ctx: typer.Context,
    intent: IntentId,
    events: Annotated[int, typer.Option("--events", min=0, help="How many of its last events.")] = 10,
    as_json: Json = False,
) -> None:
    """Show an intent: goal, status and what it waits for, state, agents, leases, questions, costs, last events."""
    run = session(ctx)
    found = _look(run, intent, events)
    if as_json:
        return run.screen.document(vars(found) | {"waiting_for": found.waiting_for})
    run.screen.show(*_sections(run.screen, found))


def _look(run: Session, text: str, events: int) -> Around:
    intent, client = run.intent(text), run.client
    return Around(
        intent=intent,
        dependencies=client.get_dependencies(intent.id) if intent.depends_on else [],
        children=client.get_children(intent.id),
        leases=client.get_leases(intent.id),
        arbitrations=client.get_arbitrations(intent.id, status=ArbitrationStatus.PENDING),
        costs=client.get_cost_summary(intent.id),
        events=client.get_events(intent.id, order="desc", limit=events)[::-1] if events else [],
    )


def _sections(screen: Screen, found: Around) -> list[RenderableType]:
    intent = found.intent
    shown: list[RenderableType] = [formatting.title(intent), Text(intent.id, style="dim"), "", _facts(screen, found)]
    if intent.description:
        shown += ["", Text(plain_lines(intent.description))]
    for name, part in (
        ("State", _json(intent.state)),
        ("Constraints", _json(intent.constraints)),
        ("Depends on", _related(screen, found.dependencies)),
        ("Children", _related(screen, found.children[:CHILDREN])),
        ("Leases", _leases(screen, found.leases)),
        ("Waits for a decision", _questions(screen, found.arbitrations)),
        ("Last events", _events(screen, found.events)),
    ):
        if part is not None:
            shown += ["", Text(name, style="bold underline"), part]
    return shown


def _facts(screen: Screen, found: Around) -> RenderableType:
    intent = found.intent
    status = formatting.status(intent.status)
    if waiting := found.waiting_for:
        status.append(f", waits for {', '.join(map(screen.short, waiting))}", style="default")
    return screen.facts(
        [
            ("status", status),
            ("version", str(intent.version)),
            ("agents", formatting.agents(intent.agents) or None),
            ("confidence", None if intent.confidence is None else f"{intent.confidence} %"),
            ("part of", intent.parent_intent_id),
            ("costs", amounts(found.costs) if found.costs["count"] else None),
            ("created", _moment(intent.created_at, f"by {intent.created_by}")),
            ("updated", _moment(intent.updated_at)),
        ]
    )


def _moment(at: datetime, by: str = "") -> str:
    return " ".join(filter(None, (clock(at), by, f"({ago(at)})")))


def _json(value: dict[str, Any]) -> RenderableType | None:
    return Text(dumps(value)) if value else None


def _related(screen: Screen, intents: list[Intent]) -> RenderableType | None:
    rows: list[list[Cell]] = [[screen.short(each.id), formatting.status(each.status), each.title] for each in intents]
    return screen.table(RELATED, rows) if rows else None


def _leases(screen: Screen, leases: list[Lease]) -> RenderableType | None:
    rows = [[screen.short(each.id), each.scope, each.agent_id, left(each.expires_at), str(each.fencing_token)] for each in leases]
    return screen.table(LEASES, rows) if rows else None


def _questions(screen: Screen, arbitrations: list[Arbitration]) -> RenderableType | None:
    lines = [f"{plain(each.reason)}  →  openintent decide {screen.short(each.id)}" for each in arbitrations]
    return Text("\n".join(lines)) if lines else None


def _events(screen: Screen, events: list[Event]) -> RenderableType | None:
    return screen.lines([formatting.event_line(each, None) for each in events]) if events else None
