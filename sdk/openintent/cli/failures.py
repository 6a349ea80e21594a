"""Failures: `openintent failures`."""

from typing import Annotated

import typer

from ..models import Event, Failure
from .durations import ago, parse_past, time_left
from .options import Json, Limit, MaybeIntentId
from .output import Cell, Column, Output
from .session import get_session

COLUMNS = [
    Column("AGE"),
    Column("AGENT", flexible=True),
    Column("ERROR", flexible=True),
    Column("ATTEMPT", min_width=60, justify="right"),
    Column("RETRY", min_width=80),
    Column("MESSAGE", flexible=True),
]
OF_ALL = [*COLUMNS[:-1], Column("INTENT")]


def failures(
    ctx: typer.Context,
    intent: MaybeIntentId = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Only since then: 15m, 2h, 7d or a time such as 2027-01-15T09:30."),
    ] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List the latest failures of agents on an intent, or on all intents: then from the log, and --json prints its events."""
    run = get_session(ctx)
    start = since and parse_past(since)
    if intent:
        found = [each for each in run.client.get_failures(run.intent_id(intent)) if not start or each.created_at >= start]
        latest = found[-limit:][::-1]
        if as_json:
            return run.output.write_json({"failures": latest})
        rows, columns = [_row(each) for each in latest], COLUMNS
    else:
        events = run.client.list_events(event_type="failure_recorded", since=start or None, order="desc", limit=limit)
        if as_json:
            return run.output.write_json({"events": events})
        rows, columns = [_row_of_event(run.output, each) for each in events], OF_ALL
    if not rows:
        return run.output.print_note("No failures.")
    run.output.print(run.output.table(columns, rows))


def _row(failure: Failure) -> list[Cell]:
    retry = "no"
    if failure.will_retry:
        retry = "yes" if failure.retry_at is None else f"in {time_left(failure.retry_at)}"
    if failure.resolved_at:
        retry = "resolved"
    return [
        ago(failure.created_at), failure.agent_id, failure.error_type, str(failure.attempt), retry, failure.error_message or "",
    ]  # fmt: skip


def _row_of_event(output: Output, event: Event) -> list[Cell]:
    found = event.payload
    retry = "yes" if found.get("will_retry") else "no"
    return [
        ago(event.created_at), str(found.get("agent_id")), str(found.get("error_type")), str(found.get("attempt")), retry,
        output.short_id(event.intent_id or ""),
    ]  # fmt: skip
