"""Attachments of an intent: list, upload and download."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ..errors import NotFoundError
from ..models import Attachment
from .durations import ago
from .help import Program
from .options import IntentId, Json
from .output import Cell, Column
from .sanitize import escape
from .session import Session, get_session
from .streams import write_bytes

COLUMNS = [
    Column("ID"),
    Column("FILE", flexible=True),
    Column("SIZE", justify="right"),
    Column("TYPE", min_width=80, flexible=True),
    Column("BY", min_width=60, flexible=True),
    Column("ADDED", min_width=100),
]

AttachmentId = Annotated[
    str,
    typer.Argument(metavar="ATTACHMENT", help="Id of an attachment, a unique prefix or suffix, or its name.", show_default=False),
]

app = Program(no_args_is_help=True, help="List, upload and download the files of an intent.")


@app.command(name="list")
def list_(ctx: typer.Context, intent: IntentId, as_json: Json = False) -> None:
    """List the files of an intent."""
    run = get_session(ctx)
    found = run.client.get_attachments(run.intent_id(intent))
    if as_json:
        return run.output.write_json({"attachments": found})
    if not found:
        return run.output.print_note("No attachments. Add one with: openintent attachments upload INTENT FILE")
    rows: list[list[Cell]] = [
        [
            run.output.short_id(each.id),
            each.filename,
            format_size(each.size),
            each.content_type,
            each.uploaded_by,
            ago(each.created_at),
        ]
        for each in found
    ]
    run.output.print(run.output.table(COLUMNS, rows))


@app.command()
def upload(
    ctx: typer.Context,
    intent: IntentId,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File to attach.", exists=True, dir_okay=False, show_default=False)
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the attachment. Default: the file's.")
    ] = None,
    content_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Media type such as text/csv. Default: guessed from the name.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", "-d", metavar="TEXT", help="Description.")] = None,
    as_json: Json = False,
) -> None:
    """Attach a file to an intent."""
    run = get_session(ctx)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    id = run.intent_id(intent)
    made = run.client.add_attachment(id, name or file.name, content_type, content=content, description=description)
    if as_json:
        return run.output.write_json(made)
    run.output.print(Text(escape(f"Attached {made.id}: {made.filename}, {format_size(made.size)}")))


@app.command()
def download(
    ctx: typer.Context,
    intent: IntentId,
    attachment: AttachmentId,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write, - for stdout. Default: its name, here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Download a file of an intent. An existing file is not replaced without --force."""
    run = get_session(ctx)
    found = _find(run, run.intent_id(intent), attachment)
    target = to or Path(safe_name(found))
    if not force and str(to) != "-" and target.exists():
        raise typer.BadParameter(f"{target} exists. Pass --force to replace it, or --output.")
    if "://" in found.url:
        raise NotFoundError(f"Its bytes are stored elsewhere: {found.url}", code="not_found")
    content = run.client.get_attachment_content(found.intent_id, found.id)
    if str(to) == "-":
        return write_bytes(content)
    try:
        with target.open("wb" if force else "xb") as file:
            file.write(content)
    except OSError as error:
        raise typer.BadParameter(f"{target}: {error.strerror}") from None
    run.output.print(Text(escape(f"Wrote {target}, {format_size(len(content))}")))


@app.command()
def delete(ctx: typer.Context, intent: IntentId, attachment: AttachmentId, as_json: Json = False) -> None:
    """Delete a file of an intent."""
    run = get_session(ctx)
    found = _find(run, run.intent_id(intent), attachment)
    run.client.delete_attachment(found.intent_id, found.id)
    if as_json:
        return run.output.write_json({"deleted": found.id})
    run.output.print(Text(escape(f"Deleted {found.id}: {found.filename}")))


def _find(run: Session, intent_id: str, text: str) -> Attachment:
    attached = run.client.get_attachments(intent_id)
    named = [each for each in attached if each.filename == text]
    return named[0] if len(named) == 1 else run.find_by_part(text, "attachment", lambda: attached)


def safe_name(attachment: Attachment) -> str:
    """Return a name for a file in this folder, whatever an agent has called the attachment."""
    name = re.sub(r"[^\w .,()@+=-]", "_", re.split(r"[/\\]", attachment.filename)[-1]).strip()
    return name if name.strip("._ ") and not name.startswith((".", "-")) else f"attachment-{attachment.id}"


def format_size(size: int) -> str:
    value, units = float(size), ["B", "kB", "MB", "GB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.{0 if units[0] == 'B' else 1}f} {units[0]}"
