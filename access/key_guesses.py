"""Throttling of wrong keys per network, without a query per attempt (protocol §1.1).

Only wrong keys are refused. Behind an untrusted proxy all callers share an address, and a valid key works from there
however many wrong ones are sent.
"""

import ipaddress
import threading
from collections.abc import Collection
from math import ceil
from time import monotonic

from django.utils import timezone

from access.bound_agents import CACHED_FOR
from access.models import ApiKey
from core.api import throttling
from core.errors import RateLimited

WRONG_KEYS, PERIOD = 60, 60.0
"""Wrong keys of a network per period. A repetition within CACHED_FOR is not counted."""
MAX_CACHED = 10_000
LIVE_KEYS_CACHED_FOR = 1.0  # Seconds.

_lock = threading.Lock()
_wrong: dict[str, float] = {}
"""Digest of a wrong key → time until which it is cached."""
_throttled: dict[str, float] = {}
"""Network → time until which it is throttled."""
_live: frozenset[str] = frozenset()
"""Digests of live keys, from at most one query per LIVE_KEYS_CACHED_FOR."""
_live_until = 0.0


def is_known_wrong(digest: str) -> bool:
    return _wrong.get(digest, 0.0) > monotonic()


def require_not_throttled(digest: str, address: str, configured: Collection[str]) -> None:
    """Raise RateLimited if the network is throttled and the key is not a valid one."""
    global _live, _live_until
    wait = _throttled.get(network_of(address), 0.0) - monotonic()
    if wait <= 0 or digest in configured:
        return
    if _live_until < monotonic():
        with _lock:
            if _live_until < monotonic():
                live = ApiKey.objects.live(timezone.now()).order_by()
                _live, _live_until = frozenset(live.values_list("digest", flat=True)), monotonic() + LIVE_KEYS_CACHED_FOR
    if digest not in _live:
        raise RateLimited(max(1, ceil(wait)), reason="Too many wrong API keys from this address")


def count_wrong_key(digest: str, address: str) -> None:
    """Count a wrong key. Raise RateLimited if the network has sent too many."""
    network, now = network_of(address), monotonic()
    with _lock:
        _cache(_wrong, digest, now + CACHED_FOR)
    early = throttling.seconds_early(f"wrong keys of {network}", WRONG_KEYS, PERIOD)
    if early > 0:
        with _lock:
            _cache(_throttled, network, now + early)
        raise RateLimited(max(1, ceil(early)), reason="Too many wrong API keys from this address")


def clear_wrong_keys() -> None:
    """Forget wrong keys, after this process has created one."""
    global _live_until
    with _lock:
        _wrong.clear()
        _live_until = 0.0


def network_of(address: str) -> str:
    """Return the network of an address: the /64 of IPv6, which is one customer's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))


def _cache(known: dict[str, float], subject: str, until: float) -> None:
    if len(known) >= MAX_CACHED:
        now = monotonic()
        for each in [each for each, end in known.items() if end <= now] or [*known][: MAX_CACHED // 2]:
            del known[each]
    known[subject] = until
