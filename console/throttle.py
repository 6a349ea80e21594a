"""Attempts to sign in, limited for each account and for each address; counted in the database, for all processes.

The generic cell rate algorithm, as in access.ratelimit: so many at once, and then an even flow.
"""

import hashlib
import ipaddress
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from config.db import clock
from console.models import Attempts

PERIOD = timedelta(minutes=10)
OF_AN_ACCOUNT = 10
OF_AN_ADDRESS = 50  # Of a whole office behind one proxy, perhaps.
FORGOTTEN_AFTER = timedelta(days=1)


class TooManyAttempts(Exception):
    """`wait` says for how long."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


@transaction.atomic
def spend(username: str, address: str) -> None:
    """Count an attempt, before its password is looked at: of many at once, no more get through than may.

    One that is refused counts for nothing. Raises TooManyAttempts, for accounts that do not exist as well.
    """
    now = clock()
    found = [(row, share, max(row.due_at, now) + share) for row, share in _locked(username, address, now)]
    wait = max(due - now for _, _, due in found) - PERIOD
    if wait > timedelta(0):
        raise TooManyAttempts(wait)
    for row, _, due in found:
        row.due_at = due
        row.save(update_fields=["due_at"])


@transaction.atomic
def give_back(username: str, address: str) -> None:
    """The attempt has succeeded: only failed ones count."""
    now = clock()
    for row, share in _locked(username, address, now):
        row.due_at -= share
        row.save(update_fields=["due_at"])
    Attempts.objects.filter(due_at__lt=now - FORGOTTEN_AFTER).delete()


def _locked(username: str, address: str, now: datetime) -> Iterable[tuple[Attempts, timedelta]]:
    """The rows of both, in one order for everybody, each with what one attempt costs."""
    subjects = {
        _subject("account", unicodedata.normalize("NFKC", username).casefold()): PERIOD / OF_AN_ACCOUNT,
        _subject("address", _network(address)): PERIOD / OF_AN_ADDRESS,
    }
    Attempts.objects.bulk_create([Attempts(subject=each, due_at=now) for each in sorted(subjects)], ignore_conflicts=True)
    rows = Attempts.objects.select_for_update().filter(subject__in=subjects).order_by("subject")
    return [(row, subjects[row.subject]) for row in rows]


def _subject(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()


def _network(address: str) -> str:
    """Of IPv6 the /64, which is one customer's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
