"""Representations that fit a line, for a debugger, a log and a notebook."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from reprlib import Repr

WIDTH = 160


class _ShortRepr(Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxtuple = 2, 2, 2, 2
        self.maxstring = self.maxother = self.maxlong = 40

    def repr1(self, x: object, level: int) -> str:
        if isinstance(x, datetime):
            return x.isoformat(timespec="seconds")
        return super().repr1(x.value if isinstance(x, Enum) else x, level)


short_repr = _ShortRepr().repr


def one_line(name: str, members: Iterable[tuple[str, object]]) -> str:
    """Return `name(member=value, …)`. What is None or empty, and what would exceed the line, is left out."""
    text, separator = f"{name}(", ""
    for member, value in members:
        if value is None or value == {} or value == []:
            continue
        shown = f"{separator}{member}={short_repr(value)}"
        if len(text) + len(shown) > WIDTH:
            return f"{text}{separator}…)"
        text, separator = text + shown, ", "
    return f"{text})"
