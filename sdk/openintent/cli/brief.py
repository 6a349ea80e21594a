"""Hand-over of an intent: `openintent brief`."""

from typing import Annotated

import typer
from rich.text import Text

from .options import IntentId, Json
from .sanitize import escape_lines
from .session import get_session


def brief(
    ctx: typer.Context,
    intent: IntentId,
    max_chars: Annotated[int, typer.Option("--max-chars", min=500, max=20_000, help="Length of the brief at most.")] = 4_000,
    since: Annotated[int | None, typer.Option("--since", min=0, help="Leave out events up to this one.")] = None,
    as_json: Json = False,
) -> None:
    """Print what to know to take an intent over, a line for each fact, with its event."""
    run = get_session(ctx)
    found = run.client.brief(run.intent_id(intent), max_chars=max_chars, since=since)
    if as_json:
        return run.output.write_json(found)
    run.output.print(Text(escape_lines(found.text)))
