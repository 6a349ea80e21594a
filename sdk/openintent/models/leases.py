"""Leases (RFC-0003)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..enums import LeaseStatus
from ._model import INSTANT, Model, decode_enum


@dataclass(frozen=True, kw_only=True)
class Lease(Model):
    """Exclusive ownership of a scope of an intent until `expires_at` (RFC-0003).

    `fencing_token` is greater than that of every earlier lease of the intent.
    """

    id: str
    intent_id: str
    agent_id: str
    scope: str
    status: LeaseStatus | str = field(metadata={"decode": decode_enum(LeaseStatus)})
    fencing_token: int
    acquired_at: datetime = field(metadata=INSTANT)
    expires_at: datetime = field(metadata=INSTANT)
    released_at: datetime | None = field(default=None, metadata=INSTANT)

    @property
    def is_active(self) -> bool:
        """Whether it is active, by the clock of this machine."""
        return self.status == LeaseStatus.ACTIVE and self.expires_at > datetime.now(UTC)

    @property
    def created_at(self) -> datetime:
        """`acquired_at`, by its name in openintent 0.5."""
        return self.acquired_at


@dataclass(frozen=True, kw_only=True)
class LeasePlace(Model):
    """A place in the queue for a scope, or the lease that it led to (RFC-0003).

    position     1 is next; 0 with a `lease`
    waits_until  when the place is lost unless the agent asks again
    """

    id: str | None
    position: int
    waits_until: datetime | None = field(metadata=INSTANT)
    lease: Lease | None = field(metadata={"decode": Lease.from_json})
    existing_lease: Lease | None = field(metadata={"decode": Lease.from_json})
