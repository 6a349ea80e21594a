"""What people may do in the console: a role, which they have by their group (protocol §1.1 has the roles of keys)."""

from collections.abc import Collection
from typing import Any

from django.contrib import auth
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone

from access.identity import Actor
from access.models import Role

ROLE_BY_GROUP = {"viewer": Role.OBSERVER, "arbiter": Role.ARBITER, "operator": Role.OPERATOR}
"""The groups that the migration makes, the least first. What counts is their permissions, so others may have them too."""

SUPERUSER, NO_ROLE = "superuser", "no role"
OPERATORS = ("operator", SUPERUSER)
ROLE_DESCRIPTIONS = {
    "viewer": "Viewer: read-only access",
    "arbiter": "Arbiter: can also decide and revoke leases",
    "operator": "Operator: full access, including keys and people",
}

_PERMISSIONS = {"access.operate": Role.OPERATOR, "access.arbitrate": Role.ARBITER, "access.look": Role.OBSERVER}


def role_of(user: AbstractBaseUser | AnonymousUser) -> Role | None:
    """What the person may do; None: nothing, not even look. Superusers are operators."""
    for permission, role in _PERMISSIONS.items():
        if user.is_active and user.has_perm(permission):  # type: ignore[attr-defined]
            return role
    return None


def has_role(request: HttpRequest, least: Role) -> bool:
    """Whether the signed-in person has at least this role."""
    role = role_of(request.user)
    return role is not None and role.includes(least)


def is_operator(request: HttpRequest) -> bool:
    return has_role(request, Role.OPERATOR)


def actor_from_user(request: HttpRequest) -> Actor:
    """The signed-in person as the actor of a verb."""
    return Actor(f"user:{request.user.get_username()}", role=role_of(request.user) or Role.OBSERVER)


def with_roles(people: QuerySet[User]) -> QuerySet[Any]:
    """Each with the `role` that he has, or had until he was switched off: a group's name, SUPERUSER or NO_ROLE."""
    names = {role: name for name, role in ROLE_BY_GROUP.items()}
    granted = [When(_holds(permission), then=Value(names[role])) for permission, role in _PERMISSIONS.items()]
    outside, above = When(is_staff=False, then=Value(NO_ROLE)), When(is_superuser=True, then=Value(SUPERUSER))
    return people.annotate(role=Case(outside, above, *granted, default=Value(NO_ROLE)))


def _holds(permission: str) -> Exists:
    whose = Q(group__user=OuterRef("pk")) | Q(user=OuterRef("pk"))
    return Exists(_granting([permission]).filter(whose))


def _granting(permissions: Collection[str] = _PERMISSIONS) -> QuerySet[Permission]:
    codenames = [each.removeprefix("access.") for each in permissions]
    return Permission.objects.filter(codename__in=codenames, content_type__app_label="access")


def grant_role(user: User, group: str) -> None:
    """Make the person a member of this one of the groups, who may sign in."""
    move_to_group(user, group)
    user.is_staff = user.is_active = True
    user.save(update_fields=["is_staff", "is_active"])


def move_to_group(user: User, group: str) -> None:
    """Take away what gives another role, and put the person into this group."""
    granting = _granting()
    user.groups.remove(*Group.objects.filter(permissions__in=granting))
    user.user_permissions.remove(*granting)
    user.groups.add(Group.objects.get(name=group))


def active_sessions(user: User) -> list[Session]:
    """Where the person has signed in, and not out since. There are as many to look through as people have signed in lately."""
    found = Session.objects.filter(expire_date__gt=timezone.now())
    return [each for each in found if each.get_decoded().get(auth.SESSION_KEY) == str(user.pk)]


def filter_live_sessions(keys: Collection[str]) -> set[str]:
    """Those of the sessions whose person is still signed in, and may still look."""
    return {key for key in keys if role_of(_person(key)) is not None}


def _person(session_key: str) -> AbstractBaseUser | AnonymousUser:
    """As at the next request of the session: one that has ended, or whose password was changed since, is nobody's."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return auth.get_user(request)
