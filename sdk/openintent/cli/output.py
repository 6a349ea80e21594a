"""Where answers go: tables for people on stdout, JSON for programs, everything else on stderr."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from .json_output import dumps
from .sanitize import plain

PIPE_WIDTH = 10_000
"""Columns where nobody looks at the output: nothing is cut off there."""

Cell = Text | str


class _Quiet(Console):
    """A console whose reader may go away: `openintent intents | head -1` is no error."""

    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0)


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return _Quiet(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True)
class Column:
    """A column of a table; it is left out where the terminal has fewer than `least` columns."""

    name: str
    least: int = 0
    justify: Literal["left", "right"] = "left"
    flexible: bool = False


class Screen:
    """The output of one run. `people` is whether someone looks at it: there ids are short, and lines are cut to the width."""

    def __init__(self) -> None:
        self.out, self.err = _console(), _console(stderr=True)
        self.people = self.out.is_terminal

    def document(self, value: Any) -> None:
        """One JSON document."""
        self.out.out(dumps(value), highlight=False)

    def line(self, value: Any) -> None:
        """One JSON document on a line of its own."""
        self.out.out(dumps(value, indent=None), highlight=False)

    def show(self, *shown: RenderableType) -> None:
        for each in shown:
            self.out.print(each, soft_wrap=isinstance(each, str) or not self.people)

    def note(self, text: str, style: str = "dim") -> None:
        """A remark, which is no answer."""
        self.err.print(Text(plain(text), style=style), soft_wrap=True)

    def short(self, id: str) -> str:
        """The end of an id, where people look: ids that were made together begin alike."""
        return id[-SHORT:] if self.people and self.out.width < WIDE else id

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Table:
        fitting = [place for place, column in enumerate(columns) if self.out.width >= column.least]
        table = Table(box=box.SIMPLE_HEAD if self.people else None, pad_edge=False, show_edge=False, header_style="bold")
        for place in fitting:
            column = columns[place]
            table.add_column(column.name, justify=column.justify, no_wrap=not column.flexible)
        for row in rows:
            table.add_row(*(_cell(row[place], columns[place]) for place in fitting))
        return table

    def facts(self, facts: Sequence[tuple[str, Cell | None]]) -> Table:
        """Names and what they are; those that are None are left out."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        for name, value in facts:
            if value is not None:
                grid.add_row(name, value if isinstance(value, Text) else Text(plain(value)))
        return grid

    def lines(self, lines: Sequence[Text]) -> RenderableType:
        """Each stays one line, cut to the width where people look."""
        if not self.people:
            return Text("\n").join(lines)
        grid = Table.grid()
        grid.add_column()
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
            grid.add_row(line)
        return grid


SHORT = 8
WIDE = 140
"""Columns from which there is room for whole ids."""


def _cell(value: Cell, column: Column) -> Text:
    text = value if isinstance(value, Text) else Text(plain(value))
    if column.flexible:
        text.no_wrap, text.overflow = True, "ellipsis"
    return text
