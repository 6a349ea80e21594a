"""Channels and notices (protocol §10)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import ChannelKind, ChannelStatus, NoticeKind, NoticeStatus, Urgency
from ._model import INSTANT, Model, decode_enum


@dataclass(frozen=True, kw_only=True)
class Channel(Model):
    """A way to tell people of questions: shared, or with an `owner` that person's own. Its target is never shown.

    `secret` verifies what a generic webhook is sent (`openintent.webhooks`); it is set only in the response that created the
    channel, and never in the repr.
    """

    id: str
    name: str
    kind: ChannelKind | str = field(metadata={"decode": decode_enum(ChannelKind)})
    status: ChannelStatus | str = field(metadata={"decode": decode_enum(ChannelStatus)})
    created_at: datetime = field(metadata=INSTANT)
    owner: str | None = None
    urgencies: list[str] = field(default_factory=list)
    quiet_hours: dict[str, Any] | None = None
    digest: dict[str, Any] | None = None
    last_error: str | None = None
    failing_since: datetime | None = field(default=None, metadata=INSTANT)
    is_default: bool = False
    secret: str | None = field(default=None, repr=False)
    created_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Notice(Model):
    """A notice of a question, or of several in a digest, by one channel. Without `to`: to all who read it."""

    id: str
    channel_id: str
    kind: NoticeKind | str = field(metadata={"decode": decode_enum(NoticeKind)})
    status: NoticeStatus | str = field(metadata={"decode": decode_enum(NoticeStatus)})
    created_at: datetime = field(metadata=INSTANT)
    arbitration_id: str | None = None
    to: str | None = None
    urgency: Urgency | str | None = field(default=None, metadata={"decode": decode_enum(Urgency)})
    digest_id: str | None = None
    attempts: int = 0
    last_error: str | None = None
    next_attempt_at: datetime | None = field(default=None, metadata=INSTANT)
    sent_at: datetime | None = field(default=None, metadata=INSTANT)
