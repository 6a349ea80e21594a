"""What people may do in the console: a role, which they have by their group (protocol §1.1 has the roles of keys)."""

from collections.abc import Collection

from django.contrib import auth
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from access.callers import Actor
from access.models import Role

GROUPS = {"viewer": Role.OBSERVER, "arbiter": Role.ARBITER, "operator": Role.OPERATOR}
"""The groups that the migration makes, the least first. What counts is their permissions, so others may have them too."""

_PERMISSIONS = {"access.operate": Role.OPERATOR, "access.arbitrate": Role.ARBITER, "access.look": Role.OBSERVER}


def role_of(user: AbstractBaseUser | AnonymousUser) -> Role | None:
    """What the person may do; None: nothing, not even look. Superusers are operators."""
    for permission, role in _PERMISSIONS.items():
        if user.is_active and user.has_perm(permission):  # type: ignore[attr-defined]
            return role
    return None


def may(request: HttpRequest, least: Role) -> bool:
    """Whether the signed-in person has at least this role."""
    role = role_of(request.user)
    return role is not None and role.includes(least)


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person as the actor of a verb."""
    return Actor(f"user:{request.user.get_username()}")


def set_role(user: User, group: str) -> None:
    """Make the person a member of this one of the groups, who may sign in."""
    user.groups.remove(*Group.objects.filter(name__in=GROUPS))
    user.groups.add(Group.objects.get(name=group))
    user.is_staff = user.is_active = True
    user.save(update_fields=["is_staff", "is_active"])


def live_sessions(keys: Collection[str]) -> set[str]:
    """Those of the sessions whose person is still signed in, and may still look."""
    return {key for key in keys if role_of(_person(key)) is not None}


def _person(session_key: str) -> AbstractBaseUser | AnonymousUser:
    """As at the next request of the session: one that has ended, or whose password was changed since, is nobody's."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return auth.get_user(request)
