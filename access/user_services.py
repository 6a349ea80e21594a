"""User verbs: create, set role, deactivate, reactivate, end sessions, issue password links.

`by` is the id of the acting user. Users are never deleted, because the log names them.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError

from access.audit_log import record
from access.models import Role
from access.roles import OPERATORS, active_sessions, grant_role, move_to_group, role_of, with_roles
from core.agent_ids import AGENT_ID, SERVER_ID, fold_agent_id, has_invisible_characters
from core.db import atomic_verb
from core.errors import Forbidden


def build_user(name: str) -> User:
    """Return an unsaved user without a password. Raise ValidationError if the name cannot be used."""
    person = User(username=name)
    person.set_unusable_password()
    person.full_clean()
    if not AGENT_ID.fullmatch(name) or has_invisible_characters(name) or fold_agent_id(name) == SERVER_ID:
        raise ValidationError(f"{name!r} cannot be used as a username.")
    return person


@atomic_verb
def create_user(*, name: str, role: str, by: int) -> User:
    """Create a user, who then sets a password. Raise Forbidden without the right, ValidationError if the name is taken or invalid."""
    actor = _lock_actor(by)
    if existing := User.objects.filter(username__iexact=name).first():
        hint = "" if existing.is_active else " Reactivate it instead."
        raise ValidationError(f"The account {existing.username!r} already exists.{hint}")
    person = build_user(name)
    person.save()
    grant_role(person, role)
    _record("person_added", actor, person, role=role)
    return person


@atomic_verb
def set_role(*, person_id: int, role: str, by: int) -> User:
    """Replace the user's role, that of a superuser included. Raise Forbidden if that is not allowed."""
    actor, person = _lock_actor_and_user(by, person_id)
    if person == actor:
        raise Forbidden("You can't change your own role. Ask another operator.")
    if role != "operator":
        _require_another_operator(person)
    move_to_group(person, role)
    person.is_staff, person.is_superuser = True, False
    person.save(update_fields=["is_staff", "is_superuser"])
    _record("role_given", actor, person, role=role)
    return person


@atomic_verb
def set_email(*, person_id: int, email: str) -> User:
    """Set the user's own address, to which notices go; an empty one is none."""
    person = User.objects.select_for_update().get(pk=person_id)
    person.email = email
    person.save(update_fields=["email"])
    _record("email_set" if email else "email_removed", person, person)
    return person


@atomic_verb
def deactivate_user(*, person_id: int, by: int) -> User:
    """Deactivate the user and end their sessions. Raise Forbidden if that is not allowed."""
    actor, person = _lock_actor_and_user(by, person_id)
    if person == actor:
        raise Forbidden("You can't deactivate yourself. Ask another operator.")
    _require_another_operator(person)
    _set_active(person, is_active=False)
    _record("person_switched_off", actor, person)
    return person


@atomic_verb
def reactivate_user(*, person_id: int, by: int) -> User:
    """Reactivate the user with their last role and password. Raise Forbidden if that is not allowed."""
    actor, person = _lock_actor_and_user(by, person_id)
    _set_active(person, is_active=True)
    _record("person_switched_on", actor, person)
    return person


@atomic_verb
def end_user_sessions(*, person_id: int, by: int) -> User:
    """End the user's sessions. Raise Forbidden if that is not allowed."""
    actor, person = _lock_actor_and_user(by, person_id)
    Session.objects.filter(pk__in=[each.pk for each in active_sessions(person)]).delete()
    _record("person_signed_out", actor, person)
    return person


@atomic_verb
def issue_password_link(*, person_id: int, by: int) -> User:
    """Check that a password link may be issued, and invalidate earlier links of a user without a password.

    Raise Forbidden if it may not.
    """
    actor, person = _lock_actor_and_user(by, person_id)
    if person == actor and person.has_usable_password():
        raise Forbidden("Change your own password from the menu under your name.")
    if not person.is_active:
        raise Forbidden("Reactivate the account first.")
    if not person.has_usable_password():
        person.set_unusable_password()
        person.save(update_fields=["password"])
    _record("link_made", actor, person)
    return person


@atomic_verb
def set_password(person: User, *, before: str, address: str) -> bool:
    """Store the new password of `person`. Return False if it is no longer that of `before`, or the user is deactivated."""
    is_stored = User.objects.filter(pk=person.pk, password=before, is_active=True).update(password=person.password) == 1
    if is_stored:
        record_password_change(person, address=address)
    return is_stored


def record_password_change(person: User, action: str = "password_set", *, address: str) -> None:
    """Record the change of the user's own password in the audit log."""
    _record(action, person, person, address=address)


def _lock_actor(by: int) -> User:
    """Lock user changes, which are serialised at one row, and return the acting user. Raise Forbidden if they are no operator."""
    Group.objects.select_for_update(no_key=True).get(name="operator")
    actor = User.objects.get(pk=by)
    if role_of(actor) != Role.OPERATOR:
        raise Forbidden("You are no longer an operator.")
    return actor


def _lock_actor_and_user(by: int, person_id: int) -> tuple[User, User]:
    """Return the acting user and the user to change. Raise Forbidden if the former may not change the latter."""
    actor, person = _lock_actor(by), User.objects.get(pk=person_id)
    if person.is_superuser and not actor.is_superuser:
        raise Forbidden("Only a superuser can change a superuser.")
    return actor, person


def _require_another_operator(person: User) -> None:
    """Raise Forbidden if the user is the last operator who can sign in. In dev mode the server prints a link for one without a password."""
    able = with_roles(User.objects.filter(is_active=True)).filter(role__in=OPERATORS)
    if not settings.DEV_MODE:
        able = able.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    if [*able.values_list("pk", flat=True)] == [person.pk]:
        raise Forbidden("This is the last operator who can sign in. Make someone else an operator first.")


def _set_active(person: User, *, is_active: bool) -> None:
    """End the sessions in either case, so that none revives."""
    Session.objects.filter(pk__in=[each.pk for each in active_sessions(person)]).delete()
    person.is_active = is_active
    person.save(update_fields=["is_active"])


def _record(action: str, actor: User, person: User, **more: Any) -> None:
    record(action, actor=f"user:{actor.username}", subject=f"user:{person.username}", **more)
