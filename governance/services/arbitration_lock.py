"""Lock of an arbitration: that of its intent, under which it is requested, changes and ends."""

from uuid import UUID

from access.identity import Actor
from governance.errors import ArbitrationNotFound
from governance.models import Arbitration
from intents.models import Intent
from intents.write_lock import lock_for_write


def lock_arbitration(arbitration_id: UUID | str, actor: Actor) -> tuple[Intent, Arbitration]:
    """Lock the arbitration's intent, and return both. A part of verbs. Raise ArbitrationNotFound, LeaseLost."""
    found = Arbitration.objects.filter(pk=arbitration_id) if isinstance(arbitration_id, UUID) else Arbitration.objects.none()
    intent_id = found.values_list("intent_id", flat=True).first()
    if intent_id is None:
        raise ArbitrationNotFound(arbitration_id)
    intent = lock_for_write(intent_id, actor, None)
    return intent, found.get()  # Under the lock nothing else changes it.
