"""Lease guards of other apps' verbs: scopes and fencing tokens (rules L-3, L-4). The caller holds the intent's row lock."""

from collections.abc import Sequence

from access.identity import Actor
from intents.models import Intent
from intents.patches import Patch, path_keys
from leasing.errors import LeaseConflict, LeaseLost
from leasing.models import Lease
from leasing.representation import lease_body
from leasing.scopes import ScopeIndex, overlap, split_levels


def require_scope(intent: Intent, patches: Sequence[Patch], actor: Actor) -> None:
    """Raise LeaseConflict if a patch touches what another agent has leased (rule L-3)."""
    if not intent.active_leases:
        return
    paths = [path_keys(patch["path"]) for patch in patches]
    held = Lease.objects.held(intent.now()).filter(intent=intent)
    if all(paths):
        held = held.filter(first_level__in={keys[0] for keys in paths})
    others = [lease for lease in held.order_by("fencing_token") if not lease.is_held_by(actor)]
    scopes = ScopeIndex(split_levels(lease.scope) for lease in others)
    if leased := [keys for keys in paths if scopes.overlap(keys)]:
        raise LeaseConflict(lease_body(next(lease for lease in others if overlap(split_levels(lease.scope), leased[0]))))


def require_token(intent: Intent, actor: Actor) -> None:
    """Raise LeaseLost if the write came with the fencing token of a lease that the actor does not hold (rule L-4)."""
    token = actor.fencing_token
    if token is None:
        return
    leases = Lease.objects.held(intent.now()).filter(intent=intent, fencing_token=token)
    if not any(lease.is_held_by(actor) for lease in leases):
        raise LeaseLost(token, actor.id)
