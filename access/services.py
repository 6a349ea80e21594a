"""API key verbs: create, rotate, revoke."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import transaction

from access.audit_log import record
from access.errors import KeyNotFound
from access.key_lookup import clear_verified_keys, digest
from access.models import ApiKey, Role
from core.agent_ids import agent_id_problem
from core.db import atomic_verb, database_now
from core.errors import Invalid


@atomic_verb
def create_key(
    *,
    name: str,
    role: Role,
    created_by: str,
    agent_id: str | None = None,
    expires_at: datetime | None = None,
    first_key_id: UUID | None = None,
    is_logged_by_caller: bool = False,
) -> tuple[ApiKey, str]:
    """Create a key. Return its row and the key itself, which cannot be read again (protocol §1.1).

    `is_logged_by_caller` leaves the audit log to the caller. Raise Invalid if the name or the agent id is refused.
    """
    for field, given in (("name", name), ("agent_id", agent_id)):
        if given is not None and (problem := agent_id_problem(given)):
            raise Invalid.field(field, *problem)
    prefix = "oi_" + secrets.token_hex(4)
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        name=name,
        role=role,
        agent_id=agent_id,
        prefix=prefix,
        digest=digest(secret),
        created_by=created_by,
        created_at=database_now(),
        expires_at=expires_at,
        first_key_id=first_key_id,
    )
    if not is_logged_by_caller:
        record("key_created", actor=created_by, subject=str(row), role=str(role))
    transaction.on_commit(clear_verified_keys)
    return row, secret


@atomic_verb
def rotate_key(*, key_id: UUID | str, created_by: str, ends_at: datetime) -> tuple[ApiKey, str]:
    """Create a successor of a key, which expires at `ends_at` or earlier. The new key has the lifetime of the old one.

    Both are one principal: the new key has the rights of the old one over what it created and holds.

    Return the new row and the key itself. Raise KeyNotFound, or Invalid if the key is no longer active.
    """
    row = _lock(key_id)
    now = database_now()
    if not ApiKey.objects.live(now).filter(pk=row.pk).exists():
        raise Invalid.field("key_id", "key is no longer active", "ended")
    lasts = row.expires_at and row.expires_at - row.created_at
    made = create_key(
        name=row.name,
        role=Role(row.role),
        agent_id=row.agent_id,
        created_by=created_by,
        expires_at=now + lasts if lasts else None,
        first_key_id=row.first_key_id or row.id,  # The principal: rights of a key pass on to the keys that it is rotated into.
        is_logged_by_caller=True,
    )
    row.expires_at = min(row.expires_at or ends_at, ends_at)
    row.save(update_fields=["expires_at"])
    record("key_rotated", actor=created_by, subject=str(row))
    return made


@atomic_verb
def revoke_key(*, key_id: UUID | str, revoked_by: str) -> ApiKey:
    """Revoke a key for good: at once in this process, within seconds in others. Idempotent. Raise KeyNotFound if there is none."""
    row = _lock(key_id)
    if row.revoked_at is None:
        row.revoked_at = database_now()
        row.save(update_fields=["revoked_at"])
        record("key_revoked", actor=revoked_by, subject=str(row))
    transaction.on_commit(clear_verified_keys)
    return row


def _lock(key_id: UUID | str) -> ApiKey:
    """Return the locked row of the key. Raise KeyNotFound if there is none."""
    row = ApiKey.objects.select_for_update().filter(pk=key_id).first() if isinstance(key_id, UUID) else None
    if row is None:
        raise KeyNotFound(key_id)
    return row
