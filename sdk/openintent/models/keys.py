"""API keys."""

from dataclasses import dataclass, field
from datetime import datetime

from ..enums import KeyRole
from ._model import INSTANT, Model, decode_enum


@dataclass(frozen=True, kw_only=True)
class ApiKey(Model):
    """An API key. `prefix` is the beginning of its secret, to tell keys apart.

    `key`, the secret itself, is set only in the response that created it. It is never in the repr.
    """

    id: str
    name: str
    role: KeyRole | str = field(metadata={"decode": decode_enum(KeyRole)})
    created_at: datetime = field(metadata=INSTANT)
    agent_id: str | None = None
    prefix: str | None = None
    created_by: str | None = None
    expires_at: datetime | None = field(default=None, metadata=INSTANT)
    last_used_at: datetime | None = field(default=None, metadata=INSTANT)
    revoked_at: datetime | None = field(default=None, metadata=INSTANT)
    key: str | None = field(default=None, repr=False)
