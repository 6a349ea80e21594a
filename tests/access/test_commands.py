"""Commands that change who may enter leave a line in the audit log, with the account of the system that ran them."""

import os
import pwd

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from access.models import AuditEntry
from access.roles import grant_role
from tests.console.users import PASSWORD

pytestmark = pytest.mark.django_db
ME = pwd.getpwuid(os.getuid()).pw_name


def type_password(monkeypatch, password=PASSWORD):
    typed = type("Typed", (), {"isatty": lambda self: False, "readline": lambda self: f"{password}\n"})()
    monkeypatch.setattr("sys.stdin", typed)
    monkeypatch.setattr("getpass.getpass", lambda prompt="": password)


def recorded():
    """Return what the audit log has, the oldest first: all of it by the command line, and by this account of the system."""
    entries = [*AuditEntry.objects.order_by("pk")]
    assert {each.actor for each in entries} <= {"command line"}
    assert {each.details.get("os_user") for each in entries} <= {ME}
    return [(each.action, each.subject, each.details.get("role")) for each in entries]


def test_a_key_is_recorded_and_its_secret_is_not(capsys):
    call_command("createkey", "nightly", "--role", "operator")

    [(action, subject, role)] = recorded()
    assert (action, role) == ("key_created", "operator")
    assert subject.startswith("nightly")
    assert capsys.readouterr().out.strip() not in str(AuditEntry.objects.values())


def test_a_new_account_and_a_new_role_are_recorded(monkeypatch):
    type_password(monkeypatch)

    call_command("createoperator", "judy")
    call_command("createoperator", "judy", "--role", "viewer")

    assert recorded() == [("person_added", "user:judy", "operator"), ("role_given", "user:judy", "viewer")]


def test_a_first_password_of_an_account_is_recorded(monkeypatch):
    type_password(monkeypatch)
    grant_role(User.objects.create_user("nina", password=None), "viewer")

    call_command("createoperator", "nina", "--role", "arbiter")

    assert recorded() == [("role_given", "user:nina", "arbiter"), ("password_set", "user:nina", None)]


def test_a_changed_password_is_recorded_and_a_refused_one_is_not(monkeypatch):
    person = User.objects.create_user("ann", password=PASSWORD)
    type_password(monkeypatch, "short")
    with pytest.raises(CommandError, match="Aborting password change"):
        call_command("changepassword", "ann")
    assert recorded() == []

    type_password(monkeypatch, "another good password")
    call_command("changepassword", "ann")

    assert recorded() == [("password_set", "user:ann", None)]
    person.refresh_from_db()
    assert person.check_password("another good password")


def test_a_superuser_is_recorded(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--no-input", username="root", email="")

    assert recorded() == [("person_added", "user:root", "superuser")]


def test_a_sign_in_link_is_recorded():
    grant_role(User.objects.create_user("ann", password=None), "viewer")

    call_command("signinlink", "ann")

    assert recorded() == [("sign_in_link_printed", "user:ann", None)]


def test_an_account_of_the_system_without_a_name_is_recorded_by_its_number(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4_000_123)

    call_command("createkey", "nightly")

    assert AuditEntry.objects.get().details["os_user"] == "4000123"
