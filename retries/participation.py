"""Participation of agents in an intent: only the failures of participants count (rule R-4)."""

from datetime import datetime

from intents.models import Intent, TopicMembership
from intents.topics import AGENT
from leasing.models import Lease


def is_participant(intent: Intent, agent_id: str, now: datetime) -> bool:
    """Return whether the agent is assigned to the intent, or holds a lease on it.

    Without any lease holder or assignment ever, every agent is a participant.
    """
    if is_assigned(intent, agent_id):
        return True
    holders = set(Lease.objects.held_on(intent.pk, now).values_list("agent_id", flat=True))
    if holders:
        return agent_id in holders
    return not intent.agents and not TopicMembership.objects.filter(intent=intent, topic__startswith=AGENT).exists()


def is_assigned(intent: Intent, agent_id: str) -> bool:
    return any(each["agent_id"] == agent_id for each in intent.agents)
