"""Command `createkey`: create an API key."""

from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from access import services
from access.audit_log import COMMAND_LINE, record_command
from access.models import MAX_NAME, ApiKey, Role
from core.agent_ids import agent_id_problem


def days_from_now(text: str) -> datetime:
    """Return the time that many days from now."""
    if not text.isdecimal() or not 1 <= int(text) <= 36_500:
        raise ArgumentTypeError(f"{text!r} is not a number of days from 1 to 36500")
    return timezone.now() + timedelta(days=int(text))


class Command(BaseCommand):
    help = "Create an API key and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the key; the actor of requests that name no agent")
        parser.add_argument("--role", choices=Role.values, default=Role.AGENT, help="default: %(default)s")
        parser.add_argument("--agent", metavar="ID", help="bind the key to this agent")
        parser.add_argument("--expires-in", metavar="DAYS", type=days_from_now, dest="expires_at", help="default: never")

    def handle(self, *args: Any, name: str, role: str, agent: str | None, expires_at: datetime | None, **options: Any) -> None:
        if not 1 <= len(name.strip()) <= MAX_NAME:
            raise CommandError(f"A name must have 1 to {MAX_NAME} characters.")
        for subject, given in (("A name", name.strip()), ("An agent id", agent)):
            if given is not None and (problem := agent_id_problem(given)):
                raise CommandError(f"{subject} {given!r} cannot be used: {problem.message}.")
        ends_dev_mode = not ApiKey.objects.live(timezone.now()).exists()
        with transaction.atomic():
            key, secret = services.create_key(
                name=name.strip(),
                role=Role(role),
                agent_id=agent,
                expires_at=expires_at,
                created_by=COMMAND_LINE,
                is_logged_by_caller=True,
            )
            record_command("key_created", subject=str(key), role=role)
        bound = f", bound to {key.agent_id}" if key.agent_id else ""
        self.stderr.write(f"{key.name}: {key.role}{bound}. The key is shown only once:")
        self.stdout.write(secret)
        if ends_dev_mode:
            self.stderr.write(
                "This is the first key. A server on this machine leaves dev mode at its next start, and refuses dev-user-key and the "
                "sign-in links of its terminal; OPENINTENT_DEV_MODE=true keeps dev mode on. For the console, create an account: "
                "createoperator NAME"
            )
