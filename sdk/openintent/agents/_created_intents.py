"""Open intents that an agent has created: they need not be assigned to it, so its own stream does not include their events."""

from collections.abc import Callable

from ..client import OpenIntentClient
from ..enums import EventType, IntentStatus
from ..models import Event

OPEN = (IntentStatus.DRAFT, IntentStatus.PENDING, IntentStatus.ACTIVE, IntentStatus.BLOCKED)


class CreatedIntents:
    """The ids of the open intents that an agent has created. `dispatch` is called with their events."""

    def __init__(self, agent_id: str, client: OpenIntentClient, dispatch: Callable[[Event], object]) -> None:
        self._agent_id = agent_id
        self._client = client
        self._dispatch = dispatch
        self._ids: set[str] = set()

    def load(self) -> None:
        """Add those that exist now. Raise OpenIntentError."""
        found = self._client.list_intents(created_by=self._agent_id, status=",".join(OPEN))
        self._ids.update(intent.id for intent in found)

    def handle_event(self, event: Event) -> None:
        """Update the ids by an event, and dispatch it if it is about one of them. Expects every creation and status change."""
        if event.intent_id is None:
            return
        if event.event_type == EventType.INTENT_CREATED and event.actor == self._agent_id:
            self._ids.add(event.intent_id)
        is_tracked = event.intent_id in self._ids
        if event.payload.get("to") in (IntentStatus.COMPLETED, IntentStatus.ABANDONED):
            self._ids.discard(event.intent_id)
        if is_tracked:
            self._dispatch(event)
