"""Attempts with a password, limited for each account and for each network; counted in the database, for all processes.

The generic cell rate algorithm, as in access.ratelimit: so many at once, and then an even flow.

An account is limited from one network, and, much later, from all of them together. A network from which it has signed in lately
is counted by itself: strangers elsewhere, however many, cannot lock somebody out from where they usually are.
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
OF_AN_ACCOUNT = 10  # From one network.
OF_AN_ACCOUNT_ANYWHERE = 100  # From all networks together, but for those that the account is known from.
OF_AN_ADDRESS = 50  # Of a whole office behind one proxy, perhaps.
KNOWN_FOR = timedelta(days=30)
FORGOTTEN_AFTER = timedelta(days=1)


class TooManyAttempts(Exception):
    """`wait` says for how long."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that was counted: for which subjects, and what it costs each of them."""

    username: str
    address: str
    shares: Mapping[str, timedelta]


@transaction.atomic
def spend(username: str, address: str) -> Attempt:
    """Count an attempt, before its password is looked at: of many at once, no more get through than may.

    One that is refused counts for nothing. Raises TooManyAttempts, for accounts that do not exist as well.
    """
    now = database_now()
    attempt = Attempt(username, address, _shares(username, address, now))
    found = [(row, share, max(row.due_at, now) + share) for row, share in _locked(attempt.shares, now)]
    wait = max(due - now for _, _, due in found) - PERIOD
    if wait > timedelta(0):
        raise TooManyAttempts(wait)
    for row, _, due in found:
        row.due_at = due
        row.save(update_fields=["due_at"])
    return attempt


@transaction.atomic
def give_back(attempt: Attempt) -> None:
    """The attempt has succeeded: only failed ones count."""
    now = database_now()
    for row, share in _locked(attempt.shares, now):
        row.due_at -= share
        row.save(update_fields=["due_at"])
    Attempts.objects.filter(due_at__lt=now - FORGOTTEN_AFTER).delete()


def remember_network(attempt: Attempt) -> None:
    """Count the attempts of this account from this network by themselves, from now on and for KNOWN_FOR."""
    if not attempt.address:
        return
    known = Attempts(subject=_known(attempt.username, attempt.address), due_at=database_now() + KNOWN_FOR)
    Attempts.objects.bulk_create([known], update_conflicts=True, unique_fields=["subject"], update_fields=["due_at"])


def _shares(username: str, address: str, now: datetime) -> dict[str, timedelta]:
    """What one attempt costs each subject that counts it. An unknown address (core.serving.client_address) is counted nowhere."""
    account, network = _account(username), network_of(address)
    anywhere = {_subject("account", account): PERIOD / OF_AN_ACCOUNT_ANYWHERE}
    if not address:
        return anywhere
    own = {_subject("account-network", f"{network} {account}"): PERIOD / OF_AN_ACCOUNT}
    if Attempts.objects.filter(subject=_known(username, address), due_at__gt=now).exists():
        return own
    return {
        **own,
        **anywhere,
        _subject("address", network): PERIOD / OF_AN_ADDRESS,
    }


def _locked(shares: Mapping[str, timedelta], now: datetime) -> Iterable[tuple[Attempts, timedelta]]:
    """The rows of the subjects, in one order for everybody, each with what one attempt costs."""
    Attempts.objects.bulk_create([Attempts(subject=each, due_at=now) for each in sorted(shares)], ignore_conflicts=True)
    rows = Attempts.objects.select_for_update().filter(subject__in=shares).order_by("subject")
    return [(row, shares[row.subject]) for row in rows]


def _known(username: str, address: str) -> str:
    return _subject("known", f"{network_of(address)} {_account(username)}")


def _subject(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()


def _account(username: str) -> str:
    return unicodedata.normalize("NFKC", username).casefold()
