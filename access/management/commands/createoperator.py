import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from access import user_services
from access.roles import ROLE_BY_GROUP, grant_role


class Command(BaseCommand):
    help = "Make an account for the console, or give an account another role. The password is asked for, or read from stdin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="under which the person signs in, and stands in the log as user:NAME")
        parser.add_argument("--role", choices=list(ROLE_BY_GROUP), default="operator", help="default: %(default)s")

    def handle(self, *args: Any, name: str, role: str, **options: Any) -> None:
        person = User.objects.filter(username=name).first()
        if person is None:
            person = self._new(name)
        with transaction.atomic():
            if not person.has_usable_password():
                person.set_password(self._password(person))
            person.save()
            grant_role(person, role)
        self.stdout.write(f"{name} can sign in at /admin/ as {role}.")

    def _new(self, name: str) -> User:
        try:
            return user_services.build_user(name)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None

    def _password(self, person: User) -> str:
        asks = sys.stdin.isatty()
        password = getpass("Password: ") if asks else sys.stdin.readline().rstrip("\n")
        if asks and password != getpass("Again: "):
            raise CommandError("The two are not the same.")
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        return password
