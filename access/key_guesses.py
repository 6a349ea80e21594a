"""Wrong keys, counted for each network: whoever guesses has to wait, and costs no query meanwhile (protocol §1.1).

Only wrong keys are refused. Behind a proxy that is not trusted all callers share an address, and a good key works from there
however many wrong ones come with it.
"""

import ipaddress
import threading
from collections.abc import Collection
from math import ceil
from time import monotonic

from django.utils import timezone

from access import ratelimit
from access.bound_agents import CACHED_FOR
from access.models import ApiKey
from core.errors import RateLimited

WRONG_KEYS, PERIOD = 60, 60.0
"""So many wrong keys of a network at once, and then as many in so many seconds. The same one again within CACHED_FOR counts once."""
REMEMBERED = 10_000
LIVE_FOR = 1.0  # Seconds for which the live keys are known, while somebody guesses.

_lock = threading.Lock()
_wrong: dict[str, float] = {}
"""Digests of wrong keys, and until when they are known to be wrong."""
_waiting: dict[str, float] = {}
"""Networks that have to wait, and until when."""
_live: frozenset[str] = frozenset()
_live_until = 0.0


def is_known_wrong(digest: str) -> bool:
    return _wrong.get(digest, 0.0) > monotonic()


def require_not_throttled(digest: str, address: str, configured: Collection[str]) -> None:
    """Refuse the key of a network that has to wait, unless it is a good one. Raises RateLimited."""
    wait = _waiting.get(network_of(address), 0.0) - monotonic()
    if wait > 0 and digest not in configured and digest not in _live_digests():
        raise RateLimited(max(1, ceil(wait)), whose="Too many wrong API keys from this address")


def count_wrong_key(digest: str, address: str) -> None:
    """Count a wrong key. Raises RateLimited where the network has sent too many."""
    network, now = network_of(address), monotonic()
    with _lock:
        _remember(_wrong, digest, now + CACHED_FOR)
    early = ratelimit.early_by(f"wrong keys of {network}", WRONG_KEYS, PERIOD)
    if early > 0:
        with _lock:
            _remember(_waiting, network, now + early)
        raise RateLimited(max(1, ceil(early)), whose="Too many wrong API keys from this address")


def clear_wrong_keys() -> None:
    """Begin anew, for the process that has just made a key."""
    global _live_until
    with _lock:
        _wrong.clear()
        _live_until = 0.0


def clear_throttled_networks() -> None:
    """Let nobody wait."""
    with _lock:
        _waiting.clear()


def network_of(address: str) -> str:
    """Of IPv6 the /64, which is one customer's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def _live_digests() -> frozenset[str]:
    """Of all keys, read at most once in LIVE_FOR: one query, however many guesses."""
    global _live, _live_until
    if _live_until < monotonic():
        with _lock:
            if _live_until < monotonic():
                live = ApiKey.objects.live(timezone.now()).order_by()
                _live, _live_until = frozenset(live.values_list("digest", flat=True)), monotonic() + LIVE_FOR
    return _live


def _remember(known: dict[str, float], subject: str, until: float) -> None:
    if len(known) >= REMEMBERED:
        now = monotonic()
        for each in [each for each, end in known.items() if end <= now] or [*known][: REMEMBERED // 2]:
            del known[each]
    known[subject] = until
