"""What leases forbid to other verbs. The caller holds the intent's row lock."""

from collections.abc import Sequence

from django.db.models import QuerySet

from access.identity import Actor
from core.db import database_now
from intents.models import Intent
from intents.patches import Patch, path_keys
from leasing.errors import LeaseConflict, LeaseLost
from leasing.models import Lease
from leasing.representation import lease_body
from leasing.scopes import ScopeIndex, overlap, split_levels


def require_scope(intent: Intent, patches: Sequence[Patch], actor: Actor) -> None:
    """Raises LeaseConflict where a patch touches what another agent has leased (rule L-3)."""
    if not intent.active_leases:
        return
    touched = [path_keys(patch["path"]) for patch in patches]
    leased = Lease.objects.held(intent.in_order(database_now())).filter(intent=intent)
    if all(touched):
        leased = leased.filter(first_level__in={keys[0] for keys in touched})
    others = [lease for lease in leased.order_by("fencing_token") if not lease.is_held_by(actor)]
    scopes = ScopeIndex(split_levels(lease.scope) for lease in others)
    if reaching := [keys for keys in touched if scopes.overlap(keys)]:
        raise LeaseConflict(lease_body(next(lease for lease in others if overlap(split_levels(lease.scope), reaching[0]))))


def require_token(intent: Intent, actor: Actor) -> None:
    """Raises LeaseLost where the write came with the token of a lease that its sender does not hold (rule L-4)."""
    token = actor.fencing_token
    if token is None:
        return
    held: QuerySet[Lease] = Lease.objects.held(intent.in_order(database_now())).filter(intent=intent, fencing_token=token)
    if not any(lease.is_held_by(actor) for lease in held):
        raise LeaseLost(token, actor.id)
