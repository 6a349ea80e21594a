"""What can change a key."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from access.errors import KeyNotFound
from access.keys import digest, forget_verified
from access.models import ApiKey, Role
from config.db import verb


@verb
def create_key(
    *, name: str, role: Role, created_by: str, agent_id: str | None = None, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key. Answers the row and the key itself, which nobody can read again (protocol §1.1)."""
    prefix = "oi_" + secrets.token_hex(4)
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        name=name,
        role=role,
        agent_id=agent_id,
        prefix=prefix,
        digest=digest(secret),
        created_by=created_by,
        created_at=timezone.now(),
        expires_at=expires_at,
    )
    return row, secret


@verb
def revoke_key(*, key_id: UUID | str) -> ApiKey:
    """End a key for good: at once in this process, within seconds in others. Again changes nothing. Raises KeyNotFound."""
    row = ApiKey.objects.select_for_update().filter(pk=key_id).first() if isinstance(key_id, UUID) else None
    if row is None:
        raise KeyNotFound(key_id)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
    transaction.on_commit(forget_verified)
    return row
