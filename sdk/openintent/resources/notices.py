"""Channels and notices: how people hear of questions (protocol §10)."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._call import Call, list_call, no_content
from .._parameters import UNSET, Id, Unset, as_optional_id, path, require_changes, without_none
from ..enums import ChannelKind, ChannelStatus, NoticeKind, NoticeStatus, Urgency
from ..models import Channel, Notice
from ..validation import validate_channel
from ._transport import Transport


class NoticeResource(Transport):
    """/channels, /notices and /arbitrations/{id}/notices (protocol §10)."""

    def create_channel(
        self,
        name: str,
        kind: ChannelKind | str,
        target: str | Sequence[str],
        *,
        owner: str | None = None,
        urgencies: Sequence[Urgency | str] | None = None,
        quiet_hours: Mapping[str, str] | None = None,
        digest: Mapping[str, int] | None = None,
        idempotency_key: str | None = None,
    ) -> Channel:
        """Create a channel by which people hear of questions from now on. For operators.

        target       e-mail addresses, or the URL of the chat's incoming webhook, of an ntfy topic or of your own service
        owner        `user:NAME`: that person's own channel. None: shared, it hears every question of its urgencies
        quiet_hours  `{"from": "22:00", "until": "07:00", "time_zone": "Europe/Berlin"}`: low and normal wait for their end
        digest       `{"every_seconds": 3600}`: low and normal are sent together

        The result's `secret` signs what a generic webhook is sent; it is returned only here.

        Raises InputValidationError, PermissionDeniedError, ValidationError `target_not_allowed` (H-7).
        """
        validate_channel(
            name=name, kind=kind, target=target, owner=owner, urgencies=urgencies, quiet_hours=quiet_hours, digest=digest
        )
        body = without_none(
            name=name,
            kind=kind,
            target=target,
            owner=owner,
            urgencies=None if urgencies is None else list(urgencies),
            quiet_hours=quiet_hours,
            digest=digest,
        )
        return self.send(Call("POST", path("channels"), Channel.from_json, json=body, idempotency_key=idempotency_key))

    def list_channels(
        self, *, status: ChannelStatus | str | None = None, owner: str | None = None, limit: int | None = None
    ) -> list[Channel]:
        """List channels, without their targets. For operators. Raises PermissionDeniedError."""
        return self.send(list_call(path("channels"), "channels", Channel, limit=limit, status=status, owner=owner))

    def update_channel(
        self,
        channel_id: Id,
        *,
        name: str | Unset = UNSET,
        target: str | Sequence[str] | Unset = UNSET,
        owner: str | Unset | None = UNSET,
        urgencies: Sequence[Urgency | str] | Unset = UNSET,
        quiet_hours: Mapping[str, str] | Unset | None = UNSET,
        digest: Mapping[str, int] | Unset | None = UNSET,
        status: ChannelStatus | str | Unset = UNSET,
    ) -> Channel:
        """Update a channel. Omitted arguments stay unchanged; `status="active"` re-enables a disabled one. For operators.

        Raises InputValidationError, NotFoundError, PermissionDeniedError, ValidationError `target_not_allowed` (H-7).
        """
        changes: dict[str, Any] = require_changes(
            name=name,
            target=target,
            owner=owner,
            urgencies=urgencies,
            quiet_hours=quiet_hours,
            digest=digest,
            status=status,
        )
        validate_channel(**changes)
        return self.send(Call("PATCH", path("channels", channel_id), Channel.from_json, json=changes))

    def delete_channel(self, channel_id: Id) -> None:
        """Delete a channel; its pending notices are not sent. Idempotent. For operators. Raises NotFoundError, PermissionDeniedError."""
        return self.send(Call("DELETE", path("channels", channel_id), no_content))

    def test_channel(self, channel_id: Id, *, idempotency_key: str | None = None) -> Notice:
        """Send a test by a channel; `list_notices(channel_id=…, kind="test")` says what became of it. For operators.

        Raises NotFoundError, PermissionDeniedError, ConflictError `channel_inactive`.
        """
        where = path("channels", channel_id, "test")
        return self.send(Call("POST", where, Notice.from_json, idempotency_key=idempotency_key))

    def list_notices(
        self,
        *,
        status: NoticeStatus | str | None = None,
        kind: NoticeKind | str | None = None,
        channel_id: Id | None = None,
        to: str | None = None,
        limit: int | None = None,
    ) -> list[Notice]:
        """List notices, the newest first: who was told of which question, by which channel, and whether it arrived."""
        return self.send(
            list_call(
                path("notices"),
                "notices",
                Notice,
                limit=limit,
                status=status,
                kind=kind,
                channel_id=as_optional_id(channel_id),
                to=to,
            )
        )

    def resend_notice(self, notice_id: Id, *, idempotency_key: str | None = None) -> Notice:
        """Send a notice again now, under the same id. For arbiters and operators.

        Raises NotFoundError, PermissionDeniedError, ConflictError `channel_inactive`, or `notice_obsolete` if the question has ended.
        """
        where = path("notices", notice_id, "resend")
        return self.send(Call("POST", where, Notice.from_json, idempotency_key=idempotency_key))

    def get_arbitration_notices(
        self,
        arbitration_id: Id,
        *,
        status: NoticeStatus | str | None = None,
        kind: NoticeKind | str | None = None,
        limit: int | None = None,
    ) -> list[Notice]:
        """Return the notices of a question, the oldest first; none if nobody has a channel. Raises NotFoundError."""
        where = path("arbitrations", arbitration_id, "notices")
        return self.send(list_call(where, "notices", Notice, limit=limit, status=status, kind=kind))
