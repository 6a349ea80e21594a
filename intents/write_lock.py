"""Entry of every write to an intent: the row's lock, the fencing token, the version (rules I-2, L-4)."""

from uuid import UUID

from access.identity import Actor
from intents.models import Intent
from leasing.guards import require_token


def lock_for_write(intent_id: UUID | str, actor: Actor, expected_version: int | None = None) -> Intent:
    """Lock the intent's row until the transaction ends, and check that the actor may write to it.

    Raises IntentNotFound, LeaseLost, VersionConflict.
    """
    return require_writable(Intent.objects.lock(intent_id), actor, expected_version)


def require_writable(intent: Intent, actor: Actor, expected_version: int | None = None) -> Intent:
    """Return the intent, which a verb has locked together with others, once it passed the checks of `lock_for_write`.

    Raises LeaseLost, VersionConflict.
    """
    require_token(intent, actor)
    if expected_version is not None:
        intent.require_version(expected_version)
    return intent
