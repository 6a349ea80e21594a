"""The agents that have a key of their own: nobody else's key acts for them (protocol §1.1)."""

import threading
from datetime import UTC, datetime
from time import monotonic

from django.utils import timezone

from access.models import ApiKey
from core.agent_ids import fold_agent_id

CACHED_FOR = 5.0  # Seconds until a key that another process makes or revokes counts here.

_lock = threading.Lock()
_agents: dict[str, datetime | None] = {}
"""By folded id: when the last live key of the agent expires; None: never."""
_good_until = 0.0


def has_own_key(agent_id: str) -> bool:
    """Whether a live key is bound to the agent, or to one that looks the same."""
    found = _read().get(fold_agent_id(agent_id), _MISSING)
    return found is None or found > timezone.now()


def clear_cache() -> None:
    """Read them again; for the process that has just made or ended a bound key."""
    global _good_until
    with _lock:
        _good_until = 0.0


_MISSING = datetime.min.replace(tzinfo=UTC)


def _read() -> dict[str, datetime | None]:
    """All at once, every few seconds: one query then, and none for each request and id."""
    global _agents, _good_until
    if _good_until < monotonic():
        with _lock:  # `forget` waits for a reading that may have begun before the change.
            if _good_until < monotonic():
                live = ApiKey.objects.live(timezone.now()).exclude(agent_id=None).order_by()
                agents: dict[str, datetime | None] = {}
                for agent_id, expires_at in live.values_list("agent_id", "expires_at"):
                    name = fold_agent_id(agent_id or "")
                    known = agents.get(name, _MISSING)
                    agents[name] = max(known, expires_at) if known and expires_at else None
                _agents, _good_until = agents, monotonic() + CACHED_FOR
    return _agents
