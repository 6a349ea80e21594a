"""Where the agent is with an intent, asked of the server."""

from ..client import OpenIntentClient
from ..enums import EventType, IntentStatus
from ..models import Event, Intent
from ._assignment_state import TELLING, Standing

FINAL = frozenset({IntentStatus.COMPLETED, IntentStatus.ABANDONED})


def standing_of(client: OpenIntentClient, intent_id: str, agent_id: str, scope: str) -> Standing:
    """What the log says by now. Patches, which may be large, are read only where the agent may have written some."""
    standing = Standing(agent_id, scope)
    standing.read(client.get_events(intent_id, event_type=",".join(TELLING)))
    if standing.starts:
        standing.read(patches_since(client, intent_id, standing))
    return standing


def patches_since(client: OpenIntentClient, intent_id: str, standing: Standing) -> list[Event]:
    """The agent's own, since it was assigned."""
    return client.get_events(intent_id, event_type=EventType.STATE_PATCHED, actor=standing.agent_id, after=standing.since)


def is_final(intent: Intent) -> bool:
    return intent.status in FINAL


def is_assigned(intent: Intent, agent_id: str) -> bool:
    return any(each.agent_id == agent_id for each in intent.agents)


def has_open_children(client: OpenIntentClient, intent_id: str) -> bool:
    return bool(client.get_ready(intent_id, limit=1) or client.get_blocked(intent_id, limit=1))
