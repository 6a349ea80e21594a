"""Announcements of a question to people. A part of verbs that hold the intent's lock."""

from collections.abc import Collection
from datetime import datetime

from access.identity import SYSTEM
from governance.models import Arbitration
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from notices.services import tell

ASKED, REMINDER, ESCALATION = "asked", "reminder", "escalation"
MAX_TOLD = 200
"""Entries that an arbitration keeps, the latest ones; its notices are kept apart."""


def minute_of(now: datetime) -> int:
    """Return the `step` of what somebody causes by hand: it tells it apart from those of the schedule, and from others."""
    return int(now.timestamp()) // 60


def announce(intent: Intent, arbitration: Arbitration, kind: str, to: Collection[str], *, now: datetime, step: int = 0) -> None:
    """Tell people of a question, by the channels that they have, and note in the arbitration and the log who is told (rule H-3)."""
    told = tell(arbitration, kind, to, now=now, step=step)
    if not told:
        return
    arbitration.told = [*arbitration.told, *told][-MAX_TOLD:]
    arbitration.save(update_fields=["told"])
    if kind == ASKED:  # Reminders and escalations have events of their own.
        payload = {"arbitration_id": str(arbitration.pk), "told": told[:MAX_TOLD]}
        append(intent, NewEvent(EventType.ARBITRATION_NOTIFIED, payload), actor=SYSTEM, now=now)
