"""Output of commands: tables or JSON on stdout, notes and errors on stderr."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from .json_output import dumps
from .sanitize import escape

UNLIMITED_WIDTH = 10_000
"""Columns if the output is not a terminal: nothing is truncated then."""

Cell = Text | str


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else UNLIMITED_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True)
class Column:
    """A column of a table, hidden if the terminal has fewer than `min_width` columns."""

    name: str
    min_width: int = 0
    justify: Literal["left", "right"] = "left"
    flexible: bool = False


class Output:
    """The output of one run. `is_terminal`: ids are shortened, and lines are truncated to the width."""

    def __init__(self) -> None:
        self.out, self.err = _console(), _console(stderr=True)
        self.is_terminal = self.out.is_terminal

    def write_json(self, value: Any, indent: int | None = 2) -> None:
        """Write a JSON document, on one line without `indent`."""
        self.out.out(dumps(value, indent), highlight=False)

    def print(self, *shown: RenderableType) -> None:
        """Print on stdout."""
        for each in shown:
            self.out.print(each, soft_wrap=isinstance(each, str) or not self.is_terminal)

    def print_note(self, text: str, style: str = "dim") -> None:
        """Print a note on stderr."""
        self.err.print(Text(escape(text), style=style), soft_wrap=True)

    def short_id(self, id: str) -> str:
        """Return the end of an id on a terminal, else all of it. Ids that were created together have the same beginning."""
        return id[-SHORT_ID_LENGTH:] if self.is_terminal and self.out.width < FULL_ID_WIDTH else id

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Table:
        fitting = [place for place, column in enumerate(columns) if self.out.width >= column.min_width]
        table = Table(box=box.SIMPLE_HEAD if self.is_terminal else None, pad_edge=False, show_edge=False, header_style="bold")
        for place in fitting:
            column = columns[place]
            table.add_column(column.name, justify=column.justify, no_wrap=not column.flexible)
        for row in rows:
            cells = []
            for place in fitting:
                value = row[place]
                text = value if isinstance(value, Text) else Text(escape(value))
                if columns[place].flexible:
                    text.no_wrap, text.overflow = True, "ellipsis"
                cells.append(text)
            table.add_row(*cells)
        return table

    def fields_table(self, fields: Sequence[tuple[str, Cell | None]]) -> Table:
        """Return a table of names and values, without those that are None."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        for name, value in fields:
            if value is not None:
                grid.add_row(name, value if isinstance(value, Text) else Text(escape(value)))
        return grid

    def lines(self, lines: Sequence[Text]) -> RenderableType:
        """Return the lines, each truncated to the width on a terminal."""
        if not self.is_terminal:
            return Text("\n").join(lines)
        grid = Table.grid()
        grid.add_column()
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
            grid.add_row(line)
        return grid


SHORT_ID_LENGTH = 8
FULL_ID_WIDTH = 140
"""Columns from which full ids are shown."""
