"""Generator of the reference in docs/cli.md: `python -m tests.sdk.cli.reference`."""

import inspect
from pathlib import Path

import typer
from openintent.cli.app import app

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
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and "completion" not in each.name]
    usage = " ".join([path, *(_metavar(each) for each in arguments), *(["[OPTIONS]"] if options else [])])
    if hasattr(command, "commands"):
        usage += " COMMAND …" if command.no_args_is_help else f" [{'|'.join(sorted(command.commands))}]"
    rows = [f"| `{_metavar(each)}` | {_told(each)} |" for each in arguments] + [
        f"| {_names(each)} | {_told(each)} |" for each in options
    ]
    table = ["| | |", "|---|---|", *rows, ""] if rows else []
    return "\n".join([f"{'#' * level} `{path}`", "", inspect.cleandoc(command.help or ""), "", f"    {usage}", "", *table])


def _metavar(argument):
    name = (argument.metavar or argument.name.upper()) + (" …" if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _names(option):
    choices = getattr(option.type, "choices", None)
    value = "" if option.is_flag else f" {option.metavar or _kind(option)}" if not choices else ""
    names = ", ".join(f"`{name}{value}`" for name in sorted([*option.opts, *option.secondary_opts], key=len, reverse=True))
    return names + (f": {', '.join(f'`{_word(each)}`' for each in choices)}" if choices else "")


def _kind(option):
    return "TEXT" if "str" in type(option.type).__name__.lower() else "N"


def _word(value):
    return getattr(value, "value", value)


def _told(parameter):
    notes = [f"`{parameter.envvar}`"] if getattr(parameter, "envvar", None) else []
    if parameter.default is not None and not getattr(parameter, "is_flag", False):
        notes.append(f"default: {_word(parameter.default)}")
    return parameter.help.replace("|", "\\|") + (f" ({', '.join(notes)})" if notes else "")


if __name__ == "__main__":
    PAGE.write_text(page())
