"""Lists that people sort by a click on the heading of a column. The order is in the URL, as `?ordering=` of the API (D-302)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.db.models.expressions import Expression
from django.http import HttpRequest

PARAMETER = "ordering"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `name` is that of its order in the URL; without one, the list cannot be sorted by it."""

    title: str
    name: str = ""
    is_descending: bool = False
    """Whether the first click sorts from the highest down: the newest first, the most first."""
    looks: str = ""
    """The class of its cells."""
    by: Expression | None = None
    """What a list of a model is sorted by, if it is not the field `name`."""
    is_indexed: bool = True
    """Whether an index serves the order. Else the first rows of a long list are sorted (console.changelist)."""

    @property
    def orderings(self) -> list[str]:
        return [self.name, f"-{self.name}"] if self.name else []


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column. `sorted` is the value of `aria-sort`, if the list is sorted by the column."""

    column: Column
    url: str
    sorted: str = ""


def requested_ordering(request: HttpRequest, columns: Sequence[Column], default: str) -> tuple[str, Column]:
    """Return the order of the URL and its column: the column's name, after a `-` if it is descending. Raise BadRequest for an unknown one."""
    given = request.GET.get(PARAMETER) or default
    for each in columns:
        if given in each.orderings:
            return given, each
    known = ", ".join(each.name for each in columns if each.name)
    raise BadRequest(f"Unknown order: {given[:60]!r}. Use one of {known}, or one of them after a “-”.")


def build_headings(columns: Sequence[Column], ordering: str, link: Callable[[str], str]) -> list[Heading]:
    """Return the headings. `link` returns the URL of the list in an order, from its first page on."""
    return [_heading(each, ordering, link) for each in columns]


def _heading(column: Column, ordering: str, link: Callable[[str], str]) -> Heading:
    if ordering not in column.orderings:
        return Heading(column, link(column.orderings[column.is_descending]) if column.name else "")
    is_descending = ordering.startswith("-")
    return Heading(column, link(column.orderings[not is_descending]), "descending" if is_descending else "ascending")
