"""Notices for display: who was told, when, by what, and whether it arrived (rule H-3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from governance.models import Arbitration
from notices.models import ChannelStatus, Notice, NoticeKind, NoticeStatus

SHOWN = 30  # Notices of a page about something else.

LABELS = {
    NoticeStatus.PENDING: "Pending",
    NoticeStatus.SENT: "Sent",
    NoticeStatus.DEAD: "Failed",
    NoticeStatus.OBSOLETE: "Not needed",
}
_WHAT = {
    NoticeKind.ASKED: "Question",
    NoticeKind.REMINDER: "Reminder",
    NoticeKind.ESCALATION: "Escalation",
    NoticeKind.RESOLVED: "Outcome",
    NoticeKind.DIGEST: "Digest",
    NoticeKind.TEST: "Test",
}


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice, and whether a worker is sending it."""

    notice: Notice
    is_on_its_way: bool

    @property
    def what(self) -> str:
        return _WHAT[NoticeKind(self.notice.kind)]

    @property
    def state(self) -> str:
        is_again = self.notice.status == NoticeStatus.PENDING and self.notice.attempts
        return "retrying" if is_again else LABELS[NoticeStatus(self.notice.status)].lower()

    @property
    def may_be_sent(self) -> bool:
        """Whether it can be sent again: it is dead, its channel sends, and its question still waits."""
        channel = self.notice.channel
        is_active = channel.status == ChannelStatus.ACTIVE and channel.removed_at is None
        return self.notice.status == NoticeStatus.DEAD and is_active and not self.notice.is_obsolete


def notice_rows(found: QuerySet[Notice], now: datetime) -> list[NoticeRow]:
    """Return the rows of the notices. One query."""
    shown = found.select_related("channel", "arbitration").defer(
        "arbitration__context", "arbitration__options", "channel__target"
    )
    return [NoticeRow(each, bool(each.claimed_until and each.claimed_until > now)) for each in shown]


def question_notices(asked: Arbitration, now: datetime) -> dict[str, Any]:
    """Return the latest notices of a question, and whether there are more."""
    rows = notice_rows(Notice.objects.filter(arbitration=asked).order_by("-pk")[: SHOWN + 1], now)
    return {"rows": rows[:SHOWN], "is_more": len(rows) > SHOWN}
