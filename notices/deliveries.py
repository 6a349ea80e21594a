"""Deliveries of notices (rule H-3): collect digests, claim what is due, record results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from access.identity import SYSTEM
from core.db import atomic_verb, database_now
from core.errors import truncate
from governance.models import Arbitration
from governance.models import Status as QuestionStatus
from notices.messages import Message, build_message
from notices.models import MAX_ERROR, Channel, ChannelKind, Notice, NoticeKind, NoticeStatus
from notices.recipients import address_of
from notices.schedule import outside_quiet_hours
from notices.services import disable
from subscriptions.webhooks.client import CallResult
from subscriptions.webhooks.deliveries import CLAIM_DURATION, DELAYS, DISABLE_AFTER, FAILING, GONE, retry_delay

DIGEST_SIZE = 10
"""Questions of one digest: so many fit into a message of every kind of channel. More of them make another digest."""
MAX_CONCURRENT = 4
"""Notices that are sent by the channel for accounts at a time; others send one after the other."""
LOOK_AT = 50
"""Due notices of a channel that are read at a time: some may be of questions that have ended."""
NO_ADDRESS = "the account has no e-mail address any more"


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """Claimed notice with all that is needed to send it. Its repr hides target and secret."""

    id: UUID
    claim: UUID
    channel_id: UUID
    kind: str
    target: Sequence[str]
    secrets: Sequence[str]
    message: Message

    def __repr__(self) -> str:
        return f"ClaimedNotice({self.id})"


def collect_digests() -> int:
    """Make digests of what waits in channels where one is due. Return their number."""
    now = database_now()
    due = Notice.objects.waiting().filter(next_attempt_at__lte=now).values_list("channel_id", flat=True).distinct()
    return sum(_collect(channel_id, now) for channel_id in [*due])


@atomic_verb
def _collect(channel_id: UUID, now: datetime) -> int:
    """Make digests of all that waits in the channel. Return their number; 0 if another worker does it."""
    channel = Channel.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=channel_id).first()
    if channel is None:
        return 0
    waiting = Notice.objects.waiting().filter(channel=channel).order_by("pk").select_for_update(no_key=True)
    found = [*waiting]
    for start in range(0, len(found), DIGEST_SIZE):
        members = found[start : start + DIGEST_SIZE]
        digest = Notice(
            channel=channel,
            to=members[0].to,
            kind=NoticeKind.DIGEST,
            urgency=members[0].urgency,
            next_attempt_at=now,
            created_at=now,
        )
        digest.save(force_insert=True)
        Notice.objects.filter(pk__in=[each.pk for each in members]).update(digest=digest, next_attempt_at=None)
    return -(-len(found) // DIGEST_SIZE)


def claim_due(capacity: int) -> list[ClaimedNotice]:
    """Claim due notices, up to a number, and few of each channel, so that one that hangs delays no other."""
    if capacity <= 0 or not Notice.objects.due(database_now()).filter(waits=False).exists():
        return []
    with transaction.atomic():
        now, token = database_now(), uuid4()
        due = Notice.objects.due(now).filter(waits=False, channel=OuterRef("pk"))
        channels = Channel.objects.filter(Exists(due)).order_by("?")[:capacity]
        claimed: list[Notice] = []
        for channel in channels.select_for_update(skip_locked=True, no_key=True):
            claimed += _claim(channel, capacity - len(claimed), token, now)
        questions = _questions(claimed)
    return [_to_claimed(each, token, questions[each.pk]) for each in claimed]


def _claim(channel: Channel, capacity: int, token: UUID, now: datetime) -> list[Notice]:
    """Claim due notices of a locked channel. Those that nobody needs any more end instead."""
    notices = Notice.objects.filter(channel=channel)
    free = min(capacity, (MAX_CONCURRENT if channel.is_default else 1) - notices.claimed(now).count())
    found = notices.due(now).filter(waits=False).order_by("next_attempt_at", "pk").select_related("arbitration")
    claimed: list[Notice] = []
    for notice in found.select_for_update(of=("self",), skip_locked=True, no_key=True)[: LOOK_AT if free > 0 else 0]:
        if len(claimed) == free:
            break
        if notice.is_obsolete:
            _end(notice, NoticeStatus.OBSOLETE, now)
            notice.save()
            continue
        notice.channel, notice.claim, notice.claimed_until = channel, token, now + CLAIM_DURATION
        notice.save(update_fields=["claim", "claimed_until"])
        claimed.append(notice)
    return claimed


def _questions(notices: Iterable[Notice]) -> dict[UUID, list[Arbitration]]:
    """Return the questions of each notice: its own, or those of its digest, oldest first."""
    by_notice: dict[UUID, list[UUID]] = {each.pk: [each.arbitration_id] if each.arbitration_id else [] for each in notices}
    members = Notice.objects.filter(digest__in=[*by_notice]).order_by("pk")
    for digest_id, arbitration_id in members.values_list("digest_id", "arbitration_id"):
        if arbitration_id not in by_notice[digest_id]:
            by_notice[digest_id].append(arbitration_id)
    wanted = {pk for ids in by_notice.values() for pk in ids}
    found = Arbitration.objects.filter(pk__in=wanted).select_related("intent", "decision")
    by_id = {each.pk: each for each in found}
    return {notice_id: [by_id[pk] for pk in ids] for notice_id, ids in by_notice.items()}


def _to_claimed(notice: Notice, token: UUID, questions: Sequence[Arbitration]) -> ClaimedNotice:
    channel = notice.channel
    target = channel.target
    if channel.is_default:
        address = address_of(notice.to)
        target = [address] if address else []
    return ClaimedNotice(
        id=notice.pk,
        claim=token,
        channel_id=channel.pk,
        kind=str(channel.kind),
        target=target,
        secrets=[channel.secret] if channel.kind == ChannelKind.WEBHOOK else [],
        message=build_message(notice, questions),
    )


def release(claimed: ClaimedNotice) -> None:
    """Release a claim without an attempt; the notice is due again at once."""
    Notice.objects.filter(pk=claimed.id, claim=claimed.claim).update(claim=None, claimed_until=None)


@atomic_verb
def record_result(claimed: ClaimedNotice, result: CallResult) -> bool:
    """Record an attempt and its consequences. Return False, without a change, if the claim was lost.

    Days of failures, or a 410, disable the channel.
    """
    channel = Channel.objects.select_for_update(no_key=True).get(pk=claimed.channel_id)
    notice = Notice.objects.select_for_update(no_key=True).filter(pk=claimed.id, claim=claimed.claim).first()
    if notice is None:
        return False
    now = database_now()
    notice.attempts, notice.tries = F("attempts") + 1, notice.tries + 1
    notice.claim = notice.claimed_until = None
    notice.last_error = _error(result)
    if result.is_success:
        notice.sent_at = now
        _end(notice, NoticeStatus.SENT, now)
    elif notice.status == NoticeStatus.PENDING:
        if result.is_gone or notice.tries > len(DELAYS):
            _end(notice, NoticeStatus.DEAD, now)
        else:
            at = now + retry_delay(notice.tries, result)
            notice.next_attempt_at = outside_quiet_hours(channel, notice.urgency, at)
    notice.save()
    if notice.kind == NoticeKind.DIGEST:
        _record_members(notice, now)
    _update_health(channel, result, now)
    return True


def _record_members(digest: Notice, now: datetime) -> None:
    """Record for the notices of a digest what became of it."""
    members = Notice.objects.filter(digest=digest)
    members.update(attempts=F("attempts") + 1, last_error=digest.last_error)
    if digest.status != NoticeStatus.PENDING:
        members.filter(status=NoticeStatus.PENDING).update(
            status=digest.status, sent_at=digest.sent_at, ended_at=now, next_attempt_at=None
        )


def _end(notice: Notice, status: NoticeStatus, now: datetime) -> None:
    notice.status, notice.next_attempt_at, notice.ended_at = status, None, now


def _update_health(channel: Channel, result: CallResult, now: datetime) -> None:
    """Update the last error of a locked channel; disable it after 410, or days of failures."""
    error = _error(result)
    since = None if result.is_success else channel.failing_since or now
    if (channel.last_error, channel.failing_since) != (error, since):
        channel.last_error, channel.failing_since = error, since
        channel.save(update_fields=["last_error", "failing_since"])
    if result.is_gone:
        disable(channel, actor=SYSTEM, reason=GONE, now=now)
    elif since and now - since >= DISABLE_AFTER:
        disable(channel, actor=SYSTEM, reason=FAILING, now=now)


def _error(result: CallResult) -> str | None:
    """Return the error, without the response's text, which may repeat the target."""
    if result.error:
        return truncate(result.error, MAX_ERROR)
    return None if result.is_success else f"answered {result.status}"


def delete_old() -> int:
    """Delete notices that ended WEBHOOK_KEEP_DAYS ago, of questions that have ended as well. Return their number."""
    until = database_now() - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    old = Notice.objects.filter(ended_at__lt=until).exclude(arbitration__status=QuestionStatus.PENDING)
    ids = [*old.order_by("ended_at").values_list("pk", flat=True)[:5_000]]
    return Notice.objects.filter(pk__in=ids).delete()[0]
