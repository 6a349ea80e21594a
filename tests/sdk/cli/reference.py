"""Generator of the reference in docs/cli.md: `python -m tests.sdk.cli.reference`."""

from inspect import cleandoc
from pathlib import Path

import typer
from openintent.cli.app import app
from openintent.cli.help import parameters, usage

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
BEGIN = "<!-- Below: python -m tests.sdk.cli.reference -->\n"


def page():
    """Return the page: its hand-written part, and the current reference."""
    return PAGE.read_text().partition(BEGIN)[0] + BEGIN + reference()


def reference():
    root = typer.main.get_command(app)
    parts = [_section(root, "openintent", level=3)]
    for name, command in sorted(root.commands.items()):
        parts.append(_section(command, f"openintent {name}", level=3))
        for inner, each in sorted(getattr(command, "commands", {}).items()):
            parts.append(_section(each, f"openintent {name} {inner}", level=4))
    return "\n" + "\n".join(parts)


def _section(command, path, level):
    found = [each for each in parameters(command) if "completion" not in each.of_typer.name]
    rows = [f"| {_names(each)} | {_told(each)} |" for each in sorted(found, key=lambda each: not each.is_argument)]
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    return "\n".join([f"{'#' * level} `{path}`", "", cleandoc(command.help or ""), "", f"    {usage(command, path)}", "", *table])


def _names(parameter):
    choices = ", ".join(f"`{each}`" for each in parameter.choices)
    names = ", ".join(f"`{f'{name} {parameter.value}'.rstrip()}`" for name in reversed(parameter.names))
    return names + (f": {choices}" if choices else "")


def _told(parameter):
    variable = getattr(parameter.of_typer, "envvar", None)
    notes = [f"`{variable}`"] if variable else []
    if parameter.default is not None:
        notes.append(f"default: {parameter.default}")
    return parameter.of_typer.help.replace("|", "\\|") + (f" ({', '.join(notes)})" if notes else "")


if __name__ == "__main__":
    PAGE.write_text(page())
