"""Messages of notices: who asks what, how urgent, until when, and where to answer (rules H-4, H-6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from core import strict_json
from core.encoding import instant
from governance.models import Arbitration, Status
from notices.inert_text import show
from notices.models import Notice, NoticeKind

MAX_QUESTION, MAX_DIGEST_QUESTION = 1_500, 160  # Characters,
MAX_NAME, MAX_INTENT, MAX_OPTIONS, MAX_CONTEXT = 60, 80, 400, 800

_HEADINGS = {
    NoticeKind.ASKED: "asks",
    NoticeKind.REMINDER: "still waits for an answer",
    NoticeKind.ESCALATION: "waits for an answer, and it has come to you",
    NoticeKind.DIGEST: "asks",
}
_SUMMARIES = {
    NoticeKind.ASKED: "A question waits for an answer",
    NoticeKind.REMINDER: "Reminder: a question still waits for an answer",
    NoticeKind.ESCALATION: "A question has come to you",
    NoticeKind.RESOLVED: "A question has ended",
    NoticeKind.DIGEST: "Questions of the last time",
    NoticeKind.TEST: "A test of this channel",
}
"""In the server's words alone: no text of others is in them."""


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a notice. Every text is inert (notices.inert_text); formats escape it for their markup."""

    heading: str
    text: str = ""
    facts: Sequence[tuple[str, str]] = ()
    link: str | None = None

    def plain(self, *, quote: str = "") -> str:
        """Return it as plain text, without the link."""
        quoted = [f"{quote}{line}" for line in self.text.splitlines()]
        return "\n".join([self.heading, *quoted, *(f"{label}: {value}" for label, value in self.facts)])


@dataclass(frozen=True, slots=True)
class Message:
    """Content of a notice, the same for all kinds of channels."""

    id: str
    thread: str | None
    summary: str
    subject: str
    urgency: str
    parts: Sequence[Part]
    data: dict[str, Any]
    """The same for programs, as the generic webhook sends it."""


def build_message(notice: Notice, questions: Sequence[Arbitration]) -> Message:
    """Return the message of a notice about its question, or the questions of its digest. They come with intent and decision."""
    kind = NoticeKind(notice.kind)
    parts = [_part(each, kind) for each in questions] or [Part("This is a test of a channel. It works.", link=inbox_link())]
    summary = _SUMMARIES[kind]
    if kind == NoticeKind.DIGEST:
        subject = f"{len(parts)} {'question' if len(parts) == 1 else 'questions'}"
    else:
        subject = show(f"{parts[0].heading}: {parts[0].text}" if questions else summary, 120)
    return Message(
        id=str(notice.pk),
        thread=str(notice.arbitration_id) if notice.arbitration_id else None,
        summary=summary,
        subject=subject,
        urgency=str(notice.urgency),
        parts=parts,
        data=_data(notice, questions),
    )


def link_to(arbitration: Arbitration) -> str | None:
    """Return the link to the question in the console, or None if the server does not know its own address.

    It carries no right: whoever opens it has to be signed in, and deciding needs a POST (rule H-4).
    """
    return _link("admin:governance_arbitration_change", arbitration.pk)


def inbox_link() -> str | None:
    return _link("admin:governance_arbitration_changelist")


def _link(page: str, *args: Any) -> str | None:
    if not settings.PUBLIC_URL:
        return None
    return f"{settings.PUBLIC_URL}{reverse(page, args=args).removeprefix(settings.ROOT_PATH)}"


def _part(asked: Arbitration, kind: NoticeKind) -> Part:
    is_digest = kind == NoticeKind.DIGEST
    requester = show(asked.requester_id, MAX_NAME)
    is_open = asked.status == Status.PENDING
    heading = f"{requester} {_HEADINGS[kind]}" if is_open and kind in _HEADINGS else f"{requester}'s question has ended"
    facts = [] if is_open else [("Outcome", _outcome(asked))]
    if is_open:
        facts += [("Urgency", str(asked.urgency)), ("Answer until", _until(asked.expires_at))]
    facts.append(("Intent", show(asked.intent.title, MAX_INTENT)))
    if is_open and not is_digest:
        facts += _details(asked)
    question = show(asked.reason, MAX_DIGEST_QUESTION if is_digest else MAX_QUESTION, lines=not is_digest)
    return Part(heading, question, facts, link_to(asked))


def _details(asked: Arbitration) -> list[tuple[str, str]]:
    found = []
    if asked.options:
        found.append(("Options", show(", ".join(each["label"] for each in asked.options), MAX_OPTIONS)))
    if asked.context and not is_private(asked.context):
        found.append(("Context", show(strict_json.text(asked.context), MAX_CONTEXT)))
    return found


def is_private(context: dict[str, Any]) -> bool:
    """Return whether a context is marked `private`: then nothing of it leaves in a notice (rule H-6)."""
    return context.get("private", False) not in (False, None)


def _outcome(asked: Arbitration) -> str:
    if decision := asked.resolution:
        return f"{show(decision.decision, MAX_QUESTION)} (by {show(decision.decided_by, MAX_NAME)})"
    return str(asked.status)


def _until(expires_at: datetime | None) -> str:
    return f"{expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if expires_at else "no end"


def _data(notice: Notice, questions: Sequence[Arbitration]) -> dict[str, Any]:
    return {
        "notice_id": str(notice.pk),
        "kind": str(notice.kind),
        "to": notice.to or None,
        "questions": [
            {
                "arbitration_id": str(each.pk),
                "intent_id": str(each.intent_id),
                "intent_title": each.intent.title,
                "requester_id": each.requester_id,
                "reason": each.reason,
                "options": each.options,
                "context": None if is_private(each.context) else each.context,
                "urgency": str(each.urgency),
                "expires_at": instant(each.expires_at),
                "status": str(each.status),
                "decision": each.resolution.decision if each.resolution else None,
                "link": link_to(each),
            }
            for each in questions
        ],
    }
