"""Entry of every write to an intent: the row's lock, the fencing token, the version, the gates (rules I-2, L-4, A-12)."""

from typing import Any
from uuid import UUID

from access.identity import Actor
from governance.gates import needs_permit, require_permitted
from intents.models import Intent
from leasing.guards import require_token

__all__ = ["lock_for_write", "needs_permit", "require_permitted", "require_writable"]


def lock_for_write(
    intent_id: UUID | str, actor: Actor, operation: str | None, expected_version: int | None = None, **values: Any
) -> Intent:
    """Lock the intent's row until the transaction ends, and check that the actor may write to it.

    `operation` is that of the API (governance.operations), with the `values` that a gate may name; None if no gate binds it.

    Raises IntentNotFound, LeaseLost, VersionConflict, PermitRequired, and what refuses to spend a permit.
    """
    return require_writable(Intent.objects.lock(intent_id), actor, operation, expected_version, **values)


def require_writable(
    intent: Intent,
    actor: Actor,
    operation: str | None,
    expected_version: int | None = None,
    *,
    portfolio_id: UUID | None = None,
    **values: Any,
) -> Intent:
    """Return the intent, which a verb has locked together with others, once it passed the checks of `lock_for_write`.

    Raises LeaseLost, VersionConflict, PermitRequired, and what refuses to spend a permit.
    """
    require_token(intent, actor)
    if expected_version is not None:
        intent.require_version(expected_version)
    require_permitted(operation, actor, intents=[intent], portfolio_id=portfolio_id, values=values)
    return intent
