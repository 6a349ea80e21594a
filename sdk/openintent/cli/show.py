"""Details of one intent: `openintent show`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ..enums import ArbitrationStatus, IntentStatus
from ..models import Arbitration, CostSummary, Event, Intent, Lease
from . import formatting
from .costs import amounts
from .durations import ago, format_time, time_left
from .json_output import dumps
from .options import IntentId, Json
from .output import Cell, Column, Output
from .sanitize import escape, escape_lines
from .session import get_session

ENDED = (IntentStatus.COMPLETED, IntentStatus.ABANDONED)
CHILDREN = 50

RELATED = [Column("ID"), Column("STATUS"), Column("TITLE", flexible=True)]
LEASES = [
    Column("ID"),
    Column("SCOPE", flexible=True),
    Column("HOLDER", flexible=True),
    Column("LEFT"),
    Column("TOKEN", min_width=60),
]


@dataclass(frozen=True)
class IntentDetails:
    """An intent and its related objects."""

    intent: Intent
    dependencies: list[Intent]
    children: list[Intent]
    leases: list[Lease]
    arbitrations: list[Arbitration]
    costs: CostSummary
    events: list[Event]

    @property
    def waiting_for(self) -> list[str]:
        """Ids that must be closed before it can complete (rule G-4) or continue (rule A-2)."""
        if self.intent.status in ENDED:
            return []
        dependencies = [each.id for each in self.dependencies if each.status != IntentStatus.COMPLETED]
        children = [each.id for each in self.children if each.status not in ENDED]
        return [*dependencies, *children, *(each.id for each in self.arbitrations if each.blocking)]


def show(
    ctx: typer.Context,
    intent: IntentId,
    events: Annotated[int, typer.Option("--events", min=0, help="Number of latest events.")] = 10,
    as_json: Json = False,
) -> None:
    """Show an intent: status, open dependencies, state, agents, leases, arbitrations, costs, latest events."""
    run = get_session(ctx)
    client, subject = run.client, run.intent(intent)
    found = IntentDetails(
        intent=subject,
        dependencies=client.get_dependencies(subject.id) if subject.depends_on else [],
        children=client.get_children(subject.id),
        leases=client.get_leases(subject.id),
        arbitrations=client.get_arbitrations(subject.id, status=ArbitrationStatus.PENDING),
        costs=client.get_cost_summary(subject.id),
        events=client.get_events(subject.id, order="desc", limit=events)[::-1] if events else [],
    )
    if as_json:
        return run.output.write_json(vars(found) | {"waiting_for": found.waiting_for})
    run.output.print(*_sections(run.output, found))


def _sections(output: Output, found: IntentDetails) -> list[RenderableType]:
    intent = found.intent
    status = formatting.status(intent.status)
    if waiting := found.waiting_for:
        status.append(f", waiting for {', '.join(map(output.short_id, waiting))}", style="default")
    fields: list[tuple[str, Cell | None]] = [
        ("status", status),
        ("version", str(intent.version)),
        ("agents", formatting.agents(intent.agents) or None),
        ("confidence", None if intent.confidence is None else f"{intent.confidence} %"),
        ("parent", intent.parent_intent_id),
        ("costs", amounts(found.costs) if found.costs["count"] else None),
        ("created", _format_moment(intent.created_at, f"by {intent.created_by}")),
        ("updated", _format_moment(intent.updated_at)),
    ]
    shown: list[RenderableType] = [formatting.title(intent), Text(intent.id, style="dim"), "", output.fields_table(fields)]
    leases: list[list[Cell]] = [
        [output.short_id(each.id), each.scope, each.agent_id, time_left(each.expires_at), str(each.fencing_token)]
        for each in found.leases
    ]
    questions = [f"{escape(each.reason)}  →  openintent decide {output.short_id(each.id)}" for each in found.arbitrations]
    if intent.description:
        shown += ["", Text(escape_lines(intent.description))]
    for name, part in (
        ("State", Text(dumps(intent.state)) if intent.state else None),
        ("Constraints", Text(dumps(intent.constraints)) if intent.constraints else None),
        ("Depends on", _related(output, found.dependencies)),
        ("Children", _related(output, found.children[:CHILDREN])),
        ("Leases", output.table(LEASES, leases) if leases else None),
        ("Pending arbitrations", Text("\n".join(questions)) if questions else None),
        ("Latest events", output.lines([formatting.event_line(each, None) for each in found.events]) if found.events else None),
    ):
        if part is not None:
            shown += ["", Text(name, style="bold underline"), part]
    return shown


def _format_moment(at: datetime, by: str = "") -> str:
    return " ".join(filter(None, (format_time(at), by, f"({ago(at)})")))


def _related(output: Output, intents: list[Intent]) -> RenderableType | None:
    rows: list[list[Cell]] = [[output.short_id(each.id), formatting.status(each.status), each.title] for each in intents]
    return output.table(RELATED, rows) if rows else None
