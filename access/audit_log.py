"""Audit log: log lines about keys and users, whose changes are in no intent's event log."""

import logging

from django.db import transaction

log = logging.getLogger("openintent.access")


def record(action: str, *, actor: str, subject: str, **more: str) -> None:
    """Log the action with actor and subject after commit. Never log a key, a link or a password."""
    fields = {"actor": actor, "subject": subject, **more}
    transaction.on_commit(lambda: log.info(action, extra={"fields": fields}))
