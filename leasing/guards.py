"""Lease guards of other apps' verbs: scopes and fencing tokens (rules L-3, L-4). The caller holds the intent's row lock."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from django.db.models import QuerySet

from access.identity import Actor
from core.db.statements import Statement
from intents.models import Intent
from intents.patches import Patch, path_keys
from leasing.errors import LeaseConflict, LeaseLost
from leasing.held_leases import HeldLease, repeated
from leasing.models import Lease, by_token
from leasing.representation import LeaseOut
from leasing.scopes import ScopeIndex, is_file, overlap, split_levels

MAX_LEVELS = 10  # First levels of patches by which leases are looked up; for more levels, all leases are.


def require_scope(intent: Intent, patches: Sequence[Patch], actor: Actor) -> None:
    """Raise LeaseConflict if a patch touches what another agent has leased (rule L-3)."""
    if not intent.active_leases:
        return
    paths = [path_keys(patch["path"]) for patch in patches]
    levels = {keys[0] for keys in paths} if all(paths) else set()
    others = [lease for lease in _held_leases(intent, levels) if not is_file(lease.scope) and not lease.is_held_by(actor)]
    scopes = ScopeIndex(split_levels(lease.scope) for lease in others)
    if leased := [keys for keys in paths if scopes.overlap(keys)]:
        token = next(lease.fencing_token for lease in others if overlap(split_levels(lease.scope), leased[0]))
        raise LeaseConflict(LeaseOut.render(Lease.objects.get(intent=intent, fencing_token=token)))


def require_token(intent: Intent, actor: Actor) -> None:
    """Raise LeaseLost if the write came with the fencing token of a lease that the actor does not hold (rule L-4)."""
    token = actor.fencing_token
    if token is None:
        return
    now = intent.now()
    held: Sequence[HeldLease | Lease] | None = repeated(intent, now)
    if held is None:
        held = _WITH_TOKEN.objects(intent=intent.pk, now=now, token=token)
    if not any(lease.fencing_token == token and lease.is_held_by(actor) for lease in held):
        raise LeaseLost(token, actor.id)


_WITH_TOKEN = Statement(lambda given: Lease.objects.held(given.now).filter(intent_id=given.intent, fencing_token=given.token))


def _held_leases(intent: Intent, first_levels: Collection[str]) -> Sequence[HeldLease | Lease]:
    """Return the leases in the order of their tokens; those that are looked up only under the first levels."""
    now = intent.now()
    held = repeated(intent, now)
    if held is not None:
        return held
    levels = {f"level_{number}": level for number, level in enumerate(first_levels)} if len(first_levels) <= MAX_LEVELS else {}
    return by_token(_held_under(len(levels)).objects(intent=intent.pk, now=now, **levels))


@cache
def _held_under(count: int) -> Statement[Lease]:
    def held(given: Any) -> QuerySet[Lease]:
        if not count:
            return Lease.objects.held_on(given.intent, given.now)
        levels = [getattr(given, f"level_{number}") for number in range(count)]
        return Lease.objects.held(given.now).filter(intent_id=given.intent, first_level__in=levels)

    return Statement(held)


def require_tokens(writes: Collection[tuple[Intent, Actor]]) -> None:
    """Raise LeaseLost if one of the writes of a request came with a token as for `require_token`. One query for all of them."""
    sent = [(intent, actor, actor.fencing_token) for intent, actor in writes if actor.fencing_token is not None]
    held = Lease.objects.held().filter(
        intent__in={intent.pk for intent, *_ in sent}, fencing_token__in={token for *_, token in sent}
    )
    leases = {(lease.intent_id, lease.fencing_token): lease for lease in held} if sent else {}
    for intent, actor, token in sent:
        lease = leases.get((intent.pk, token))
        if lease is None or lease.expires_at <= intent.now() or not lease.is_held_by(actor):
            raise LeaseLost(token, actor.id)
