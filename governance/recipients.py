"""Audience of a question: the people that may answer it, besides arbiters and operators (rule H-5)."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from access.identity import Actor

USER, GROUP = "user", "group"


def people_of(recipients: Iterable[str]) -> QuerySet[Any]:
    """Return the active accounts that the recipients name, alone or by their group."""
    names: dict[str, list[str]] = {USER: [], GROUP: []}
    for each in recipients:
        kind, _, name = each.partition(":")
        names[kind].append(name)
    people = get_user_model().objects.filter(is_active=True, is_staff=True)
    return people.filter(Q(username__in=names[USER]) | Q(groups__name__in=names[GROUP])).distinct()


def includes(recipients: Iterable[str], actor: Actor) -> bool:
    """Return whether the actor is a person among the recipients."""
    kind, _, name = actor.principal.partition(":")
    return kind == USER and people_of(recipients).filter(username=name).exists()


def recipient_problems(recipients: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Yield index, message and code of each recipient that names nobody who could answer."""
    for index, each in enumerate(recipients):
        kind, _, name = each.partition(":")
        if kind == GROUP and not Group.objects.filter(name=name).exists():
            yield index, f"there is no group {name[:60]!r}", "unknown_group"
        elif not people_of([each]).exists():
            nobody = (
                f"nobody in the group {name[:60]!r} can sign in" if kind == GROUP else f"nobody named {name[:60]!r} can sign in"
            )
            yield index, nobody, "empty_group" if kind == GROUP else "unknown_person"
