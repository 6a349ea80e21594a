"""Command `createoperator`: create a console user, or change its role."""

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from access import user_services
from access.audit_log import record_command
from access.roles import ROLE_BY_GROUP, grant_role


class Command(BaseCommand):
    help = (
        "Create a console user, or set the role of one, whose password stays as it is. "
        "The password of a new one is prompted for, or read from stdin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="user name for signing in; the actor in the log is user:NAME")
        parser.add_argument("--role", choices=list(ROLE_BY_GROUP), default="operator", help="default: %(default)s")

    def handle(self, *args: Any, name: str, role: str, **options: Any) -> None:
        person = User.objects.filter(username=name).first()
        has_password = person is not None and person.has_usable_password()
        is_new = person is None
        if person is None:
            try:
                person = user_services.build_user(name)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
        with transaction.atomic():
            if not has_password:
                person.set_password(self._read_password(person))
            person.save()
            grant_role(person, role)
            record_command("person_added" if is_new else "role_given", subject=f"user:{name}", role=role)
            if not is_new and not has_password:
                record_command("password_set", subject=f"user:{name}")
        if has_password:
            self.stdout.write(
                f"{name} already exists, and is {role} now. The password was not changed; to set another one: changepassword {name}"
            )
        else:
            self.stdout.write(f"{name} can sign in at /admin/ as {role}.")

    def _read_password(self, person: User) -> str:
        is_interactive = sys.stdin.isatty()
        password = getpass("Password: ") if is_interactive else sys.stdin.readline().rstrip("\n")
        if is_interactive and password != getpass("Password (again): "):
            raise CommandError("The passwords do not match.")
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        return password
