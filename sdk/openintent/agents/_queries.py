"""Queries of the server about an agent's intents."""

from ..client import OpenIntentClient
from ..enums import EventType, IntentStatus
from ..models import Event, Intent
from ._assignment_state import QUESTION_EVENTS, STATE_EVENTS, AssignmentState

FINAL = frozenset({IntentStatus.COMPLETED, IntentStatus.ABANDONED})


def load_state(
    client: OpenIntentClient, intent_id: str, agent_id: str, scope: str, *, takes_answers: bool = False
) -> AssignmentState:
    """Return the assignment's state from the log. Patches, which may be large, are read only if the agent may have written some."""
    state, types = AssignmentState(agent_id, scope), (*STATE_EVENTS, *(QUESTION_EVENTS if takes_answers else ()))
    state.apply(client.get_events(intent_id, event_type=",".join(types)))
    if state.starts:
        state.apply(get_own_patches(client, intent_id, state))
    return state


def get_own_patches(client: OpenIntentClient, intent_id: str, state: AssignmentState) -> list[Event]:
    """Return the patches that the agent has written since it was assigned."""
    return client.get_events(intent_id, event_type=EventType.STATE_PATCHED, actor=state.agent_id, after=state.since)


def is_final(intent: Intent) -> bool:
    return intent.status in FINAL


def is_assigned(intent: Intent, agent_id: str) -> bool:
    return any(each.agent_id == agent_id for each in intent.agents)
