"""Help of the commands: the same with every version of typer, whose own shows types of Python and changes."""

import inspect
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar, get_args, get_type_hints

import typer
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

MAX_WIDTH = 100

F = TypeVar("F", bound=Callable[..., Any])


class _Described:
    """The part of a command that is the same for a single one and a group."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        console = Console(width=min(MAX_WIDTH, shutil.get_terminal_size().columns), highlight=False, markup=False, emoji=False)
        with console.capture() as captured:
            for part in _parts(self, ctx):
                console.print(part)
        formatter.write("\n".join(line.rstrip() for line in captured.get().splitlines()))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return _usage_pieces(self)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        if not args and getattr(self, "no_args_is_help", False) and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), color=ctx.color)
            raise typer.Exit(2)
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except typer.BadParameter as error:
            error.message = _plain(error.message)
            raise


class Command(_Described, TyperCommand):
    """A command."""


class Group(_Described, TyperGroup):
    """A group of commands."""


class Program(typer.Typer):
    """Commands whose help is that of this module."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"cls": Group, "pretty_exceptions_enable": False, **options})

    def command(self, name: str | None = None, **options: Any) -> Callable[[F], F]:
        return super().command(name, **{"cls": Command, **options})


@dataclass(frozen=True)
class Parameter:
    """An argument or an option, and the type of its values."""

    of_typer: Any
    kind: type | None

    @property
    def is_argument(self) -> bool:
        return bool(self.of_typer.param_type_name == "argument")

    @property
    def names(self) -> list[str]:
        """Names of an option, the shortest first; the name of an argument, in brackets if it may be left out."""
        if not self.is_argument:
            return sorted([*self.of_typer.opts, *self.of_typer.secondary_opts], key=len)
        name = (self.of_typer.metavar or self.of_typer.name.upper()) + (" …" if self.of_typer.nargs == -1 else "")
        return [name if self.of_typer.required else f"[{name}]"]

    @property
    def value(self) -> str:
        """Name of the value of an option; empty if it takes none."""
        if self.is_argument or self.of_typer.is_flag:
            return ""
        return str(self.of_typer.metavar or (self.of_typer.name.upper() if self.choices else "N" if self.kind is int else "TEXT"))

    @property
    def choices(self) -> list[str]:
        """All values, if they are a few."""
        is_choice = isinstance(self.kind, type) and issubclass(self.kind, Enum)
        return [str(each.value) for each in self.kind] if is_choice else []  # type: ignore[union-attr]

    @property
    def default(self) -> str | None:
        """Value of an option that is not given."""
        found = self.of_typer.default
        return None if found is None or getattr(self.of_typer, "is_flag", False) else str(getattr(found, "value", found))


def parameters(command: Any, given: Sequence[Any] | None = None) -> list[Parameter]:
    """Return the parameters of the command, or those that are given."""
    hints = get_type_hints(inspect.unwrap(command.callback)) if command.callback else {}
    return [Parameter(each, _innermost(hints.get(each.name))) for each in (command.params if given is None else given)]


def usage(command: Any, path: str) -> str:
    """Return how the command is called."""
    return " ".join([path, *_usage_pieces(command)])


def _innermost(hint: Any) -> Any:
    """Return the type of the values of `list[X] | None`."""
    inner = [each for each in get_args(hint) if each is not type(None)]
    return _innermost(inner[0]) if inner else hint


def _usage_pieces(command: Any) -> list[str]:
    found = parameters(command)
    pieces = [name for each in found if each.is_argument for name in each.names]
    if len(pieces) < len(found):
        pieces.append("[OPTIONS]")
    if commands := getattr(command, "commands", None):
        pieces.append("COMMAND …" if command.no_args_is_help else f"[{'|'.join(sorted(commands))}]")
    return pieces


def _parts(command: Any, ctx: Any) -> Iterator[RenderableType]:
    yield f"Usage: {usage(command, ctx.command_path)}\n"
    yield from _paragraphs(command.help or "")
    found = parameters(command, command.get_params(ctx))  # With --help.
    yield from _section("Arguments", [(each.names[0].strip("[]"), _described(each)) for each in found if each.is_argument])
    options = [(f"{', '.join(each.names)} {each.value}", _described(each)) for each in found if not each.is_argument]
    yield from _section("Options", options)
    panels: dict[str, list[tuple[str, Text]]] = {}
    for name, each in getattr(command, "commands", {}).items():
        summary = " ".join(inspect.cleandoc(each.help or "").partition("\n\n")[0].split())
        panels.setdefault(getattr(each, "rich_help_panel", None) or "Commands", []).append((name, Text(summary)))
    for title, rows in panels.items():
        yield from _section(title, rows)
    yield from _paragraphs(command.epilog or "")


def _paragraphs(text: str) -> Iterator[RenderableType]:
    for paragraph in filter(None, inspect.cleandoc(text).split("\n\n")):
        yield Text(" ".join(paragraph.split()) + "\n")


def _section(title: str, rows: Sequence[tuple[str, Text]]) -> Iterator[RenderableType]:
    if not rows:
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(max_width=36, overflow="fold")
    grid.add_column()
    for name, text in rows:
        grid.add_row(Text(name, style="cyan"), text)
    yield Text(title, style="bold")
    yield Padding(grid, (0, 0, 1, 2))


def _described(parameter: Parameter) -> Text:
    notes = [", ".join(parameter.choices)] if parameter.choices else []
    if parameter.default is not None:
        notes.append(f"default: {parameter.default}")
    if variable := getattr(parameter.of_typer, "envvar", None):
        notes.append(f"${variable}")
    return Text(parameter.of_typer.help or "").append(f" ({'; '.join(notes)})" if notes else "", style="dim")


def _plain(message: str) -> str:
    """Return the message without the names of types."""
    if message.startswith("Input should be a valid integer"):
        return "not a whole number."
    return re.sub(r"(?i)valid int(eger)?( range)?", "whole number", message.removeprefix("Value error, "))
