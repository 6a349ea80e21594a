"""Key lookup: the caller of an API key, from a cache in most cases."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from access import bound_agents, key_guesses
from access.bound_agents import CACHED_FOR
from access.identity import Caller, configured_caller
from access.models import ApiKey, Role, Way
from core.db import database_now

CACHE_SIZE = 10_000
LAST_USED_EVERY = timedelta(minutes=1)

DEV_KEYS = {
    "dev-user-key": ("dev-user", Role.OPERATOR),
    "agent-research-key": ("agent-research", Role.AGENT),
    "agent-synth-key": ("agent-synth", Role.AGENT),
}


@dataclass(frozen=True, slots=True)
class _Verified:
    """Verified key in the cache, valid until a time of the monotonic clock: its expiry, or the next lookup."""

    caller: Caller
    until: float


_cache: dict[str, _Verified] = {}
_newest = datetime.min.replace(tzinfo=UTC)


def digest(key: str) -> str:
    """Return the digest of a key. It has 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


def find_caller(key: str, address: str, way: Way = Way.API) -> Caller | None:
    """Return the caller of the key, or None if it is unknown, expired or revoked. Raise RateLimited after too many wrong keys."""
    fingerprint = digest(key)
    known = _cache.get(fingerprint)
    if known is None or known.until < monotonic():
        if key_guesses.is_known_wrong(fingerprint):
            return None
        key_guesses.require_not_throttled(fingerprint, address, _configured())
        known = _verify(fingerprint, way)
        if known is None:
            key_guesses.count_wrong_key(fingerprint, address)
    return known.caller if known else None


def is_verified(key: str) -> bool:
    """Return whether the key is in the cache. It is checked again when the request is handled."""
    return digest(key) in _cache


def caller_for_key(key_id: UUID, *, or_successor: bool = False) -> Caller | None:
    """Return the caller of the key, or of the newest that it was rotated into. None if it is expired or revoked."""
    for caller in _configured().values():
        if caller.key_id == key_id:
            return caller
    wanted = Q(pk=key_id) | Q(first_key_id=key_id) if or_successor else Q(pk=key_id)
    row = ApiKey.objects.live(_latest(database_now())).filter(wanted).order_by("-created_at").first()
    return _caller(row) if row else None


def _caller(row: ApiKey) -> Caller:
    return Caller(row.id, row.name, Role(row.role), row.agent_id, row.first_key_id)


def is_dev_key(key_id: UUID) -> bool:
    """Return whether it is the id of a key of dev mode."""
    return any(configured_caller(digest(key), name=name, role=role).key_id == key_id for key, (name, role) in DEV_KEYS.items())


def clear_verified_keys() -> None:
    """Clear all caches of keys, after this process has created or revoked one."""
    _cache.clear()
    bound_agents.clear_cache()
    key_guesses.clear_wrong_keys()


def _verify(fingerprint: str, way: Way) -> _Verified | None:
    """Look up the key and cache it. It expires by the latest time of the database's clock (rules E-7, E-8)."""
    _cache.pop(fingerprint, None)
    asked_at = monotonic()  # Before the query, so that the remaining time is never too long.
    if caller := _configured().get(fingerprint):
        found = _Verified(caller, asked_at + CACHED_FOR)
    elif row := ApiKey.objects.filter(digest=fingerprint, revoked_at=None).first():
        now = _latest(database_now())  # After the row; SQLite's Now() counts milliseconds only.
        if row.expires_at and row.expires_at <= now:
            return None
        if row.last_used_at is None or now - row.last_used_at >= LAST_USED_EVERY:
            ApiKey.objects.filter(pk=row.pk).update(last_used_at=now, last_used_by=way)
        caller = _caller(row)
        left = (row.expires_at - now).total_seconds() if row.expires_at else CACHED_FOR
        found = _Verified(caller, asked_at + min(left, CACHED_FOR))
    else:
        return None
    if len(_cache) >= CACHE_SIZE:
        _cache.clear()
    _cache[fingerprint] = found
    return found


def configured_callers() -> list[Caller]:
    """Return the callers of the keys in the settings, and of those of dev mode where it is on."""
    return [*_configured().values()]


def _configured() -> dict[str, Caller]:
    keys = {digest(key): ("configured-key", Role.OPERATOR) for key in settings.API_KEYS}
    if settings.DEV_MODE:
        keys |= {digest(key): who for key, who in DEV_KEYS.items()}
    return {fingerprint: configured_caller(fingerprint, name=name, role=role) for fingerprint, (name, role) in keys.items()}


def _latest(now: datetime) -> datetime:
    """Return the latest database time seen by this process: after the clock is set back, expired keys stay expired."""
    global _newest
    _newest = max(_newest, now)
    return _newest
