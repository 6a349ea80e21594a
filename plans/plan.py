"""Plan: intents that are created together and refer to each other by refs (rule G-8). Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from access.identity import Actor
from core.errors import Invalid
from core.ids import parse_id
from intents.operations import Assignee
from portfolios.models import Role

Node = int | UUID
"""An intent that a planned one refers to: the index of another planned one, or the id of an existing one."""


@dataclass(frozen=True, slots=True)
class PlannedIntent:
    """An intent to create. `parent` and `depends_on` are refs of planned intents, or ids of existing ones."""

    actor: Actor
    title: str
    ref: str | None = None
    description: str | None = None
    state: dict[str, Any] = field(default_factory=dict)
    constraints: dict[str, Any] = field(default_factory=dict)
    confidence: int | None = None
    parent: str | None = None
    depends_on: Sequence[str] = ()
    assign: Sequence[Assignee] = ()
    role: str = Role.MEMBER.value
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """The nodes that a planned intent refers to, each once."""

    parent: Node | None
    depends_on: list[Node]

    @property
    def nodes(self) -> list[Node]:
        return self.depends_on if self.parent is None else [self.parent, *self.depends_on]


def name_of(index: int) -> str:
    """Return the name of the planned intent in an error: its place in the request."""
    return f"intents.{index}"


def resolve(intents: Sequence[PlannedIntent]) -> list[Links]:
    """Return the links of each intent. Raise Invalid with all duplicate and unknown refs."""
    indexes: dict[str, int] = {}
    errors = []
    for index, each in enumerate(intents):
        if each.ref is not None and (first := indexes.setdefault(each.ref, index)) != index:
            message = f"{each.ref!r} is the ref of {name_of(first)} already"
            errors.append({"field": f"{name_of(index)}.ref", "message": message, "code": "duplicate_ref"})
    found: dict[str, Node] = {**indexes}
    for where, text in _references(intents):
        if text in found:
            continue
        if (pk := parse_id(text)) is not None:
            found[text] = pk
        else:
            errors.append({"field": where, "message": f"no intent of the plan has the ref {text!r}", "code": "unknown_ref"})
    if errors:
        raise Invalid.all(errors)
    return [
        Links(
            parent=None if each.parent is None else found[each.parent],
            depends_on=[*dict.fromkeys([found[text] for text in each.depends_on])],
        )
        for each in intents
    ]


def require_known(intents: Sequence[PlannedIntent], links: Sequence[Links], known: Collection[UUID]) -> None:
    """Raise Invalid if a planned intent refers to an id that is not known, with all of them."""
    missing = {node for each in links for node in each.nodes if isinstance(node, UUID) and node not in known}
    if missing:
        ids = {str(pk) for pk in missing}
        raise Invalid.all(
            {"field": where, "message": f"no intent has the id {text}", "code": "unknown_id"}
            for where, text in _references(intents)
            if text.lower() in ids
        )


def describe(node: Node, intents: Sequence[PlannedIntent]) -> str:
    """Return the node's ref or id, or its place if it has no ref."""
    if isinstance(node, UUID):
        return str(node)
    return intents[node].ref or name_of(node)


def _references(intents: Sequence[PlannedIntent]) -> Iterator[tuple[str, str]]:
    """Yield each reference, with the name of its field."""
    for index, each in enumerate(intents):
        if each.parent is not None:
            yield f"{name_of(index)}.parent", each.parent
        for number, text in enumerate(each.depends_on):
            yield f"{name_of(index)}.depends_on.{number}", text
