"""Recipients: people and groups of people, as `user:NAME` and `group:NAME`, that may answer, grant or are told (rules A-12, H-5)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from core.errors import Invalid

USER, GROUP = "user:", "group:"


def is_recipient(name: str) -> bool:
    return name.startswith((USER, GROUP))


def people_of(recipients: Iterable[str]) -> QuerySet[Any]:
    """Return the accounts that the recipients name, alone or by their group, of those that can sign in."""
    recipients = [*recipients]
    named = Q(username__in=_names(USER, recipients)) | Q(groups__name__in=_names(GROUP, recipients))
    return get_user_model().objects.filter(named, is_active=True, is_staff=True).distinct()


def includes(recipients: Iterable[str], principal: str) -> bool:
    """Return whether the principal is a person among the recipients."""
    return principal.startswith(USER) and people_of(recipients).filter(username=principal.removeprefix(USER)).exists()


def require_recipients(by_field: Mapping[str, str]) -> None:
    """Raise Invalid, by the names of their fields, for recipients of whom nobody can sign in. Three queries."""
    if problems := [*_problems(by_field)]:
        raise Invalid.all(problems)


def _problems(by_field: Mapping[str, str]) -> Iterator[dict[str, str]]:
    groups = _names(GROUP, by_field.values())
    people = people_of(by_field.values())
    reached = {f"{USER}{name}" for name in people.values_list("username", flat=True)}
    reached |= {f"{GROUP}{name}" for name in people.filter(groups__name__in=groups).values_list("groups__name", flat=True)}
    known = set(Group.objects.filter(name__in=groups).values_list("name", flat=True)) if groups else set()
    for field, each in by_field.items():
        if each in reached:
            continue
        name = each.partition(":")[2]
        if each.startswith(USER):
            message, code = f"nobody named {name[:60]!r} can sign in", "unknown_person"
        elif name in known:
            message, code = f"nobody in the group {name[:60]!r} can sign in", "empty_group"
        else:
            message, code = f"there is no group {name[:60]!r}", "unknown_group"
        yield {"field": field, "message": message, "code": code}


def _names(kind: str, recipients: Iterable[str]) -> list[str]:
    return [each.removeprefix(kind) for each in recipients if each.startswith(kind)]
