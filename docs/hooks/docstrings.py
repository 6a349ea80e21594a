"""Our docstrings, as mkdocstrings shows them."""

import re
from typing import Any

import griffe

ALIGNED = re.compile(r"([a-z_]+(?:, [a-z_]+)*)(  +)(\S.*)")


class House(griffe.Extension):
    """Aligned lists become lists, words are listed below their vocabulary, and a method that describes a `Call[T]` is shown as what
    it is on a client: one that answers T."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = listed(obj.docstring.value)
        if isinstance(obj, griffe.Function) and any(str(each.value) == "endpoint" for each in obj.decorators):
            obj.returns = obj.returns.slice if isinstance(obj.returns, griffe.ExprSubscript) else obj.returns
            obj.decorators = []

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        if cls.docstring and (lines := words(cls)):
            cls.docstring.value += "\n\n" + "\n".join(lines)


def words(cls: griffe.Class) -> list[str]:
    """Of a vocabulary: as they are on the wire."""
    return [f"- `{name.lower()}`" for name in cls.attributes] if "StrEnum" in map(str, cls.bases) else []


def listed(text: str) -> str:
    """`name   what it is`, in columns, as a Markdown list."""
    lines, column = [], 0
    for line in text.splitlines():
        if row := ALIGNED.fullmatch(line):
            lines += [""] if not column else []
            lines.append(f"- {', '.join(f'`{name}`' for name in row[1].split(', '))}: {row[3]}")
            column = row.start(3)
        elif column and line.startswith(" " * column):
            lines.append(f"    {line.strip()}")
        else:
            lines += ["", line] if column and line else [line]
            column = 0
    return "\n".join(lines)
