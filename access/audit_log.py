"""Audit log: acts around keys and users, which are in no intent's event log. Each is a row and a line of the server's log."""

import getpass
import logging
import os
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from access.models import MAX_ACTOR, AuditEntry
from core.db import database_now

COMMAND_LINE = "command line"
"""The actor of commands, which anybody with an account on the server's system can run."""

MAX_ADDRESS = 64
DELETE_BATCH = 5_000

log = logging.getLogger("openintent.access")


def record(action: str, *, actor: str, subject: str, at_most_every: timedelta | None = None, **more: str) -> None:
    """Record the action with actor and subject, and log it after commit. Never record a key, a link or a password.

    `at_most_every` is for what others can repeat without end: within that time the same from the same address is logged alone.
    """
    fields = {"actor": actor, "subject": subject, **more}
    transaction.on_commit(lambda: log.info(action, extra={"fields": fields}))
    now, address = database_now(), more.get("address", "")[:MAX_ADDRESS]
    entry = AuditEntry(at=now, action=action, actor=actor[:MAX_ACTOR], subject=subject[:MAX_ACTOR], address=address)
    if at_most_every:
        same = AuditEntry.objects.filter(at__gt=now - at_most_every, action=action, subject=entry.subject, address=address)
        if same.exists():
            return
    entry.details = {name: value for name, value in more.items() if name != "address"}
    entry.save(force_insert=True)


def record_command(action: str, *, subject: str, **more: str) -> None:
    """Record what a command has done, with the account of the system that ran it."""
    record(action, actor=COMMAND_LINE, subject=subject, at_most_every=None, **more, os_user=_os_user())


def _os_user() -> str:
    """Return the name of the account, or its number where the system has no name for it, as in many containers."""
    try:
        import pwd  # noqa: PLC0415  Not on every system.
    except ImportError:
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name  # Of the process: getpass would believe its environment.
    except KeyError:
        return str(os.getuid())


def delete_old() -> int:
    """Delete entries older than AUDIT_KEEP_DAYS. Return their number."""
    until, deleted = database_now() - timedelta(days=settings.AUDIT_KEEP_DAYS), 0
    while True:
        old = AuditEntry.objects.filter(at__lt=until).order_by("at").values_list("pk", flat=True)[:DELETE_BATCH]
        removed = AuditEntry.objects.filter(pk__in=[*old]).delete()[0]
        deleted += removed
        if removed < DELETE_BATCH:
            return deleted
