"""The open intents that an agent has created: they need not be assigned to it, so its own stream does not tell of them."""

from ..client import OpenIntentClient
from ..enums import EventType, IntentStatus
from ..models import Event

OPEN = (IntentStatus.DRAFT, IntentStatus.PENDING, IntentStatus.ACTIVE, IntentStatus.BLOCKED)


class Made:
    def __init__(self, agent_id: str, client: OpenIntentClient) -> None:
        self._agent_id = agent_id
        self._client = client
        self._ids: set[str] = set()

    def look(self) -> None:
        """Learn which there are. Raises OpenIntentError."""
        found = self._client.list_intents(created_by=self._agent_id, status=",".join(OPEN))
        self._ids.update(intent.id for intent in found)

    def has(self, event: Event) -> bool:
        """Whether the event is about one of them. It is to hear of all that are created or change their status."""
        if event.intent_id is None:
            return False
        if event.event_type == EventType.INTENT_CREATED and event.actor == self._agent_id:
            self._ids.add(event.intent_id)
        known = event.intent_id in self._ids
        if event.payload.get("to") in (IntentStatus.COMPLETED, IntentStatus.ABANDONED):
            self._ids.discard(event.intent_id)
        return known
