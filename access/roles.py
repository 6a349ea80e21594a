"""Roles of console users, granted by groups (protocol §1.1 has the roles of keys)."""

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
"""Groups that the migration creates, lowest role first. Their permissions count, so other groups may grant them, too."""

SUPERUSER, NO_ROLE = "superuser", "no role"
OPERATORS = ("operator", SUPERUSER)
ROLE_DESCRIPTIONS = {
    "viewer": "Viewer: read-only access",
    "arbiter": "Arbiter: can also decide and revoke leases",
    "operator": "Operator: full access, including keys and people",
}

_PERMISSIONS = {"access.operate": Role.OPERATOR, "access.arbitrate": Role.ARBITER, "access.look": Role.OBSERVER}


def role_of(user: AbstractBaseUser | AnonymousUser) -> Role | None:
    """Return the role of the user, or None without access. Superusers are operators."""
    for permission, role in _PERMISSIONS.items():
        if user.is_active and user.has_perm(permission):  # type: ignore[attr-defined]
            return role
    return None


def has_role(request: HttpRequest, least: Role) -> bool:
    """Return whether the signed-in user has at least this role."""
    role = role_of(request.user)
    return role is not None and role.includes(least)


def is_operator(request: HttpRequest) -> bool:
    return has_role(request, Role.OPERATOR)


def actor_from_user(request: HttpRequest) -> Actor:
    """Return the signed-in user as the actor of a verb."""
    return Actor(f"user:{request.user.get_username()}", role=role_of(request.user) or Role.OBSERVER)


def with_roles(people: QuerySet[User]) -> QuerySet[Any]:
    """Annotate users with `role`: a group's name, SUPERUSER or NO_ROLE. Deactivated users keep their last role."""
    names = {role: name for name, role in ROLE_BY_GROUP.items()}
    owner = Q(group__user=OuterRef("pk")) | Q(user=OuterRef("pk"))
    granted = [
        When(Exists(_granting([permission]).filter(owner)), then=Value(names[role])) for permission, role in _PERMISSIONS.items()
    ]
    outside, above = When(is_staff=False, then=Value(NO_ROLE)), When(is_superuser=True, then=Value(SUPERUSER))
    return people.annotate(role=Case(outside, above, *granted, default=Value(NO_ROLE)))


def _granting(permissions: Collection[str] = _PERMISSIONS) -> QuerySet[Permission]:
    codenames = [each.removeprefix("access.") for each in permissions]
    return Permission.objects.filter(codename__in=codenames, content_type__app_label="access")


def grant_role(user: User, group: str) -> None:
    """Move the user into the group and let them sign in."""
    move_to_group(user, group)
    user.is_staff = user.is_active = True
    user.save(update_fields=["is_staff", "is_active"])


def move_to_group(user: User, group: str) -> None:
    """Remove all groups and permissions that grant a role, then add the group."""
    granting = _granting()
    user.groups.remove(*Group.objects.filter(permissions__in=granting))
    user.user_permissions.remove(*granting)
    user.groups.add(Group.objects.get(name=group))


def active_sessions(user: User) -> list[Session]:
    """Return the user's unexpired sessions, from a scan of all unexpired sessions."""
    found = Session.objects.filter(expire_date__gt=timezone.now())
    return [each for each in found if each.get_decoded().get(auth.SESSION_KEY) == str(user.pk)]


def filter_live_sessions(keys: Collection[str]) -> set[str]:
    """Return the keys of sessions whose user is still signed in and has a role."""
    live: set[str] = set()
    for key in keys:
        request = HttpRequest()  # As at the session's next request: it has no user after its end, or a change of password.
        request.session = SessionStore(key)
        if role_of(auth.get_user(request)) is not None:
            live.add(key)
    return live
