"""Throttle of password attempts, for each account and each network, counted in the database for all processes.

The generic cell rate algorithm, as for API requests: a burst, and then an even flow.

An account is limited from one network, and, much later, from all of them together. A network from which it has signed in lately
is counted by itself: attackers elsewhere, however many, cannot lock people out from where they usually are.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from access.key_guesses import network_of
from console.models import Attempts
from core.db import database_now

PERIOD = timedelta(minutes=10)
ACCOUNT_NETWORK_LIMIT = 10  # From one network.
ACCOUNT_LIMIT = 100  # From all networks together, but for those that the account is known from.
NETWORK_LIMIT = 50  # Of a whole office behind one proxy, perhaps.
NETWORK_REMEMBERED_FOR = timedelta(days=30)
DELETED_AFTER = timedelta(days=1)


class TooManyAttempts(Exception):
    """`wait` is the time until the next attempt."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt, with its cost for each subject."""

    username: str
    address: str
    shares: Mapping[str, timedelta]


@transaction.atomic
def count_attempt(username: str, address: str) -> Attempt:
    """Count an attempt before its password is checked: of many at once, no more get through than allowed.

    A refused attempt is not counted. Raise TooManyAttempts, for unknown accounts as well.
    """
    now = database_now()
    attempt = Attempt(username, address, _attempt_costs(username, address, now))
    found = [(row, share, max(row.due_at, now) + share) for row, share in _lock_rows(attempt.shares, now)]
    wait = max(due - now for _, _, due in found) - PERIOD
    if wait > timedelta(0):
        raise TooManyAttempts(wait)
    for row, _, due in found:
        row.due_at = due
        row.save(update_fields=["due_at"])
    return attempt


@transaction.atomic
def refund_attempt(attempt: Attempt) -> None:
    """Take back the count of a successful attempt."""
    now = database_now()
    for row, share in _lock_rows(attempt.shares, now):
        row.due_at -= share
        row.save(update_fields=["due_at"])
    Attempts.objects.filter(due_at__lt=now - DELETED_AFTER).delete()


def remember_network(attempt: Attempt) -> None:
    """Count the attempts of this account from this network separately, for NETWORK_REMEMBERED_FOR."""
    if not attempt.address:
        return
    known = Attempts(subject=_known_subject(attempt.username, attempt.address), due_at=database_now() + NETWORK_REMEMBERED_FOR)
    Attempts.objects.bulk_create([known], update_conflicts=True, unique_fields=["subject"], update_fields=["due_at"])


def _attempt_costs(username: str, address: str, now: datetime) -> dict[str, timedelta]:
    """Return the cost of one attempt for each subject that counts it. An unknown address counts nowhere."""
    account, network = _normalize_username(username), network_of(address)
    anywhere = {_hash_subject("account", account): PERIOD / ACCOUNT_LIMIT}
    if not address:
        return anywhere
    own = {_hash_subject("account-network", f"{network} {account}"): PERIOD / ACCOUNT_NETWORK_LIMIT}
    if Attempts.objects.filter(subject=_known_subject(username, address), due_at__gt=now).exists():
        return own
    return {
        **own,
        **anywhere,
        _hash_subject("address", network): PERIOD / NETWORK_LIMIT,
    }


def _lock_rows(shares: Mapping[str, timedelta], now: datetime) -> Iterable[tuple[Attempts, timedelta]]:
    """Lock the rows of the subjects in a fixed order. Return each with the cost of one attempt."""
    Attempts.objects.bulk_create([Attempts(subject=each, due_at=now) for each in sorted(shares)], ignore_conflicts=True)
    rows = Attempts.objects.select_for_update().filter(subject__in=shares).order_by("subject")
    return [(row, shares[row.subject]) for row in rows]


def _known_subject(username: str, address: str) -> str:
    return _hash_subject("known", f"{network_of(address)} {_normalize_username(username)}")


def _hash_subject(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()


def _normalize_username(username: str) -> str:
    return unicodedata.normalize("NFKC", username).casefold()
