"""What leases forbid to other verbs. The caller holds the intent's row lock."""

from collections.abc import Sequence

from access.callers import Actor
from config.db import clock
from intents.models import Intent
from intents.patches import Patch, path_keys
from leasing.errors import LeaseConflict, LeaseLost
from leasing.models import Lease
from leasing.scopes import levels, overlap
from leasing.wire import lease_body


def require_scope(intent: Intent, patches: Sequence[Patch], actor: Actor) -> None:
    """Raises LeaseConflict where a patch touches what another agent has leased (rule L-3)."""
    if not intent.active_leases:
        return
    now = clock()
    touched = [path_keys(patch["path"]) for patch in patches]
    for lease in Lease.objects.held(now).filter(intent=intent).exclude(agent_id=actor.id).order_by("fencing_token"):
        if any(overlap(levels(lease.scope), keys) for keys in touched):
            raise LeaseConflict(lease_body(lease, now))


def require_token(intent: Intent, actor: Actor) -> None:
    """Raises LeaseLost where the write came with the token of a lease that its sender does not hold (rule L-4)."""
    token = actor.fencing_token
    if (
        token is not None
        and not Lease.objects.held(clock()).filter(intent=intent, agent_id=actor.id, fencing_token=token).exists()
    ):
        raise LeaseLost(token, actor.id)
