"""Lines in the server's log about keys and accounts: what is done to them belongs to no intent, and so is in no intent's log."""

import logging

from django.db import transaction

log = logging.getLogger("openintent.access")


def record(done: str, *, actor: str, subject: str, **more: str) -> None:
    """Say who did it to whom or to what, once it is committed. Never a key, a link or a password."""
    fields = {"actor": actor, "subject": subject, **more}
    transaction.on_commit(lambda: log.info(done, extra={"fields": fields}))
