"""Command `ask`: ask people, wait, and print the answer."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from ..enums import Urgency
from .durations import parse_future
from .json_output import dumps
from .options import IntentId, Json
from .sanitize import escape_lines
from .session import get_session


def ask(
    ctx: typer.Context,
    intent: IntentId,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question.", show_default=False)],
    schema: Annotated[
        str | None,
        typer.Option("--schema", metavar="JSON|@FILE", help="Flat object schema: the answer is a form of these fields."),
    ] = None,
    option: Annotated[list[str] | None, typer.Option("--option", "-o", metavar="LABEL", help="Option; may be repeated.")] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="WHO", help="user:NAME or group:NAME who may answer; may be repeated.")
    ] = None,
    urgency: Annotated[Urgency | None, typer.Option("--urgency", help="Urgency of the notices.", show_default=False)] = None,
    remind: Annotated[
        list[int] | None,
        typer.Option("--remind", metavar="SECONDS", min=1, help="Tell them again after so long; may be repeated."),
    ] = None,
    blocking: Annotated[bool, typer.Option("--blocking", help="Block the intent until the answer.")] = False,
    expires: Annotated[str | None, typer.Option("--expires", metavar="WHEN", help="Expiry: 2h, 7d or a time.")] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", min=0, help="Wait at most so long. The question stays open.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask people, wait, and print the answer: of a schema as JSON, else the text of the decision. The exit code is 4 if there is none."""
    run = get_session(ctx)
    answer = run.client.ask(
        run.intent_id(intent),
        question,
        schema=_parse_schema(schema),
        to=to,
        urgency=urgency,
        remind=remind,
        options=option,
        blocking=blocking or None,
        expires_at=expires and parse_future(expires),
        timeout=timeout,
    )
    if as_json:
        return run.output.write_json({"answer": answer})
    run.output.print(Text(escape_lines(answer if isinstance(answer, str) else dumps(answer))))


def _parse_schema(text: str | None) -> dict[str, Any] | None:
    """Return the schema. Raise BadParameter for what is no JSON object, or no file."""
    if text is None:
        return None
    try:
        schema = json.loads(Path(text[1:]).read_text() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--schema") from None
    if not isinstance(schema, dict):
        raise typer.BadParameter("must be a JSON object.", param_hint="--schema")
    return schema
