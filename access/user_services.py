"""What can change the account of a person; `by` is the account of who does it. Nobody is deleted: the log names him."""

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
    """Somebody of that name who is not in the database yet, and has no password. Raises ValidationError."""
    person = User(username=name)
    person.set_unusable_password()
    person.full_clean()
    if not AGENT_ID.fullmatch(name) or has_invisible_characters(name) or fold_agent_id(name) == SERVER_ID:
        raise ValidationError(f"{name!r} cannot be used as a username.")
    return person


@atomic_verb
def create_user(*, name: str, role: str, by: int) -> User:
    """Make an account, for which its person then sets a password (console.sign_in.passwords). Raises Forbidden, ValidationError."""
    actor = _acting(by)
    if is_there := User.objects.filter(username__iexact=name).first():
        hint = "" if is_there.is_active else " Reactivate it instead."
        raise ValidationError(f"The account {is_there.username!r} already exists.{hint}")
    person = build_user(name)
    person.save()
    grant_role(person, role)
    _note("person_added", actor, person, role=role)
    return person


@atomic_verb
def set_role(*, person_id: int, role: str, by: int) -> User:
    """Take another role, and that of a superuser, away. Raises Forbidden."""
    actor, person = _both(by, person_id)
    if person == actor:
        raise Forbidden("You can't change your own role. Ask another operator.")
    if role != "operator":
        _keep_an_operator(person)
    move_to_group(person, role)
    person.is_staff, person.is_superuser = True, False
    person.save(update_fields=["is_staff", "is_superuser"])
    _note("role_given", actor, person, role=role)
    return person


@atomic_verb
def deactivate_user(*, person_id: int, by: int) -> User:
    """Let the person in no more, and end his sessions. Raises Forbidden."""
    actor, person = _both(by, person_id)
    if person == actor:
        raise Forbidden("You can't deactivate yourself. Ask another operator.")
    _keep_an_operator(person)
    _turn(person, is_active=False)
    _note("person_switched_off", actor, person)
    return person


@atomic_verb
def reactivate_user(*, person_id: int, by: int) -> User:
    """Let the person in again, with the role and the password that he had. Raises Forbidden."""
    actor, person = _both(by, person_id)
    _turn(person, is_active=True)
    _note("person_switched_on", actor, person)
    return person


@atomic_verb
def end_user_sessions(*, person_id: int, by: int) -> User:
    """End the sessions of the person. Raises Forbidden."""
    actor, person = _both(by, person_id)
    _end_sessions(person)
    _note("person_signed_out", actor, person)
    return person


@atomic_verb
def issue_password_link(*, person_id: int, by: int) -> User:
    """Make sure that a link to set a password is for this person to have. Earlier links of one without a password end.

    Raises Forbidden.
    """
    actor, person = _both(by, person_id)
    if person == actor and person.has_usable_password():
        raise Forbidden("Change your own password from the menu under your name.")
    if not person.is_active:
        raise Forbidden("Reactivate the account first.")
    if not person.has_usable_password():
        person.set_unusable_password()
        person.save(update_fields=["password"])
    _note("link_made", actor, person)
    return person


@atomic_verb
def set_password(person: User, *, before: str, address: str) -> bool:
    """Keep the password that `person` has been given. Answers False where meanwhile it is not that of `before`, or he is off."""
    is_kept = User.objects.filter(pk=person.pk, password=before, is_active=True).update(password=person.password) == 1
    if is_kept:
        record_password_change(person, address=address)
    return is_kept


def record_password_change(person: User, done: str = "password_set", *, address: str) -> None:
    _note(done, person, person, address=address)


def _acting(by: int) -> User:
    """Who acts, as he is once nobody else changes anybody: all who do take turns at one row. Raises Forbidden."""
    Group.objects.select_for_update(no_key=True).get(name="operator")
    actor = User.objects.get(pk=by)
    if role_of(actor) != Role.OPERATOR:
        raise Forbidden("You are no longer an operator.")
    return actor


def _both(by: int, person_id: int) -> tuple[User, User]:
    """Who acts, and whom he changes. Raises Forbidden."""
    actor, person = _acting(by), User.objects.get(pk=person_id)
    if person.is_superuser and not actor.is_superuser:
        raise Forbidden("Only a superuser can change a superuser.")
    return actor, person


def _keep_an_operator(person: User) -> None:
    """Raises Forbidden where nobody but him could let others in. In dev mode, the server prints a way in for one without a password."""
    able = with_roles(User.objects.filter(is_active=True)).filter(role__in=OPERATORS)
    if not settings.DEV_MODE:
        able = able.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    if [*able.values_list("pk", flat=True)] == [person.pk]:
        raise Forbidden("This is the last operator who can sign in. Make someone else an operator first.")


def _turn(person: User, *, is_active: bool) -> None:
    """Sessions do not come back to life: they are gone in either case."""
    _end_sessions(person)
    person.is_active = is_active
    person.save(update_fields=["is_active"])


def _end_sessions(person: User) -> None:
    Session.objects.filter(pk__in=[each.pk for each in active_sessions(person)]).delete()


def _note(done: str, actor: User, person: User, **more: str) -> None:
    record(done, actor=f"user:{actor.username}", subject=f"user:{person.username}", **more)
