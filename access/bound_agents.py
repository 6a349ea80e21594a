"""Agents with a bound key: no other key may act for them (protocol §1.1)."""

import threading
from datetime import UTC, datetime
from time import monotonic

from django.utils import timezone

from access.models import ApiKey
from core.agent_ids import fold_agent_id

CACHED_FOR = 5.0  # Seconds until a key that another process creates or revokes is known here.

_lock = threading.Lock()
_agents: dict[str, datetime | None] = {}
"""Folded agent id → expiry of the agent's last live key; None: never."""
_good_until = 0.0
_MISSING = datetime.min.replace(tzinfo=UTC)


def has_own_key(agent_id: str) -> bool:
    """Return whether a live key is bound to the agent, or to one that looks the same."""
    global _agents, _good_until
    if _good_until < monotonic():  # All agents are read by one query every few seconds.
        with _lock:  # `clear_cache` waits for a reading that may have begun before the change.
            if _good_until < monotonic():
                live = ApiKey.objects.live(timezone.now()).exclude(agent_id=None).order_by()
                agents: dict[str, datetime | None] = {}
                for bound, expires_at in live.values_list("agent_id", "expires_at"):
                    name = fold_agent_id(bound or "")
                    known = agents.get(name, _MISSING)
                    agents[name] = max(known, expires_at) if known and expires_at else None
                _agents, _good_until = agents, monotonic() + CACHED_FOR
    found = _agents.get(fold_agent_id(agent_id), _MISSING)
    return found is None or found > timezone.now()


def clear_cache() -> None:
    """Read the keys again at the next use, after this process has created or ended one."""
    global _good_until
    with _lock:
        _good_until = 0.0
