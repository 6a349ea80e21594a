"""Command `signinlink`: print a link that signs an account in once."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from access.audit_log import record_command
from access.roles import role_of
from console.sign_in.links import DEV_OPERATOR, create_command_link
from core.env import env


class Command(BaseCommand):
    help = (
        "Print a link that signs an account in to the console, once, within ten minutes. "
        "Open it in a browser of your own: whoever opens it is that account."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", nargs="?", default=DEV_OPERATOR, help="name of the account (default: %(default)s)")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no account {user!r}. Create it: createoperator {user}")
        if not person.is_active or role_of(person) is None:
            raise CommandError(f"The account {user!r} is deactivated, or has no role: nobody can sign in with it.")
        with transaction.atomic():
            path = create_command_link(person)
            record_command("sign_in_link_printed", subject=f"user:{user}")
        site = (
            settings.PUBLIC_URL.removesuffix(settings.ROOT_PATH)
            or f"http://localhost:{env.str('OPENINTENT_PORT', default='') or 8000}"
        )
        self.stderr.write(f"Signs in as {user}, once, within ten minutes:")
        self.stdout.write(f"{site}{path}")
