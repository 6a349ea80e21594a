"""Verbs of channels and notices (protocol §10). Notices are sent by notices.delivery_worker.

Lock order: the intent of the question, the channel, its notices.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from access.identity import Actor
from core.agent_ids import USER_PREFIX
from core.db import atomic_verb, database_now
from core.encoding import instant
from core.errors import Invalid
from governance.models import Arbitration, Urgency
from intents.events import EventType, NewEvent, append_without_intent
from notices.errors import ChannelInactive, ChannelNotFound, NoticeObsolete
from notices.models import (
    QUESTIONS,
    Channel,
    ChannelStatus,
    Notice,
    NoticeKind,
    NoticeStatus,
)
from notices.recipients import Recipient, recipients
from notices.schedule import first_attempt_at, waits_for_digest
from notices.targets import require_target
from subscriptions.webhooks.signing import new_secret


@atomic_verb
def create_channel(
    *,
    actor: Actor,
    name: str,
    kind: str,
    target: Sequence[str],
    owner: str | None = None,
    urgencies: Sequence[str] | None = None,
    quiet_hours: Mapping[str, str] | None = None,
    digest: Mapping[str, int] | None = None,
) -> Channel:
    """Create a shared channel, or with an `owner` one of that person's own. Raise Invalid."""
    require_target(kind, target)
    _require_person(owner)
    now = database_now()
    channel = Channel(
        name=name,
        kind=kind,
        target=[*target],
        secret=new_secret(),
        owner=owner,
        urgencies=list(dict.fromkeys(Urgency.values if urgencies is None else urgencies)),
        quiet_hours=quiet_hours,
        digest=digest,
        created_by=actor.id,
        created_at=now,
    )
    channel.save(force_insert=True)
    _record(channel, EventType.CHANNEL_CREATED, actor=actor, now=now)
    return channel


@atomic_verb
def update_channel(*, channel_id: UUID | str, actor: Actor, changes: Mapping[str, Any]) -> Channel:
    """Change what is given; an event names the changed fields. Disabling ends pending notices.

    Raise ChannelNotFound or Invalid.
    """
    channel = _lock(channel_id)
    if "target" in changes:
        if channel.is_default:
            raise Invalid.field("target", "the channel sends to the addresses of accounts")
        require_target(channel.kind, changes["target"])
    if "owner" in changes:
        _require_person(changes["owner"])
    changed = [name for name, value in changes.items() if getattr(channel, name) != value]
    for name in changed:
        setattr(channel, name, changes[name])
    now = database_now()
    if "status" in changed and channel.status == ChannelStatus.ACTIVE:
        channel.failing_since = channel.last_error = None
    elif "status" in changed:
        _end_notices(channel, now)
    channel.save()
    if changed:
        _record(channel, EventType.CHANNEL_UPDATED, actor=actor, now=now, changed=sorted(changed))
    return channel


@atomic_verb
def remove_channel(*, channel_id: UUID | str, actor: Actor) -> None:
    """Remove a channel and end its pending notices; those that were sent are kept. Idempotent. Raise ChannelNotFound.

    The one for the addresses of accounts is disabled instead.
    """
    channel = (
        Channel.objects.select_for_update(no_key=True).filter(pk=channel_id).first() if isinstance(channel_id, UUID) else None
    )
    if channel is None:
        raise ChannelNotFound(channel_id)
    if channel.removed_at:
        return
    now = database_now()
    if channel.is_default:
        disable(channel, actor=actor, reason="removed", now=now)
        return
    channel.removed_at, channel.target, channel.secret = now, [], ""
    channel.save()
    _end_notices(channel, now)
    _record(channel, EventType.CHANNEL_REMOVED, actor=actor, now=now)


@atomic_verb
def create_test_notice(*, channel_id: UUID | str) -> Notice:
    """Send a test by the channel, now. Raise ChannelNotFound or ChannelInactive."""
    channel = _lock(channel_id)
    _require_active(channel)
    now = database_now()
    notice = Notice(channel=channel, kind=NoticeKind.TEST, to=channel.owner or "", next_attempt_at=now, created_at=now)
    notice.save(force_insert=True)
    return notice


@atomic_verb
def resend_notice(*, notice_id: UUID | str) -> Notice:
    """Send a notice again now, under the same id, in a new round of attempts; a claimed one stays as it is.

    Raise NoticeNotFound, ChannelInactive, or NoticeObsolete if its question has ended.
    """
    notice: Notice = Notice.objects.require(notice_id)
    channel = Channel.objects.select_for_update(no_key=True).get(pk=notice.channel_id)
    notice = Notice.objects.select_for_update(no_key=True).get(pk=notice.pk)
    _require_active(channel)
    now = database_now()
    if notice.is_obsolete:
        raise NoticeObsolete
    if not Notice.objects.claimed(now).filter(pk=notice.pk).exists():
        notice.status, notice.tries, notice.waits, notice.digest = NoticeStatus.PENDING, 0, False, None
        notice.claim = notice.claimed_until = notice.ended_at = None
        notice.next_attempt_at = now
        notice.save()
    return notice


@atomic_verb
def tell(arbitration: Arbitration, kind: str, to: Collection[str], *, now: datetime, step: int = 0) -> list[dict[str, Any]]:
    """Tell people and groups of a question; without any, all who may decide. A part of verbs that hold the intent's lock.

    `kind` is asked, reminder, escalation or resolved; `step` tells its reminders and escalations apart. Nothing is told twice:
    the same again adds no notice. Return what was added, as `told` of an arbitration shows it; empty if nobody has a channel.
    """
    found = _end_questions(arbitration, now) if kind == NoticeKind.RESOLVED else recipients(to, arbitration.urgency, now)
    known = Notice.objects.filter(arbitration=arbitration, kind=kind, step=step).values_list("channel_id", "to")
    told = {*known} if found else set()
    new = [_new_notice(arbitration, kind, step, each, now) for each in found if (each.channel.pk, each.to) not in told]
    Notice.objects.bulk_create(new)
    names = {each.channel.pk: each.channel.name for each in found}
    return [
        {
            "to": each.to or None,
            "channel_id": str(each.channel_id),
            "channel": names[each.channel_id],
            "kind": str(kind),
            "at": instant(now),
        }
        for each in new
    ]


# --- parts of verbs ------------------------------------------------------------------------------------------------


def disable(channel: Channel, *, actor: Actor, reason: str, now: datetime) -> None:
    """Disable a locked channel and end its pending notices. Idempotent."""
    if channel.status == ChannelStatus.DISABLED or channel.removed_at:
        return
    channel.status = ChannelStatus.DISABLED
    channel.save(update_fields=["status"])
    _end_notices(channel, now)
    _record(channel, EventType.CHANNEL_DISABLED, actor=actor, now=now, reason=reason)


def _lock(channel_id: UUID | str) -> Channel:
    """Return the locked channel. Raise ChannelNotFound if there is none."""
    channel: Channel = Channel.objects.select_for_update(no_key=True).require(channel_id)
    return channel


def _require_active(channel: Channel) -> None:
    if channel.removed_at or channel.status != ChannelStatus.ACTIVE:
        raise ChannelInactive("removed" if channel.removed_at else str(channel.status))


def _require_person(owner: str | None) -> None:
    """Raise Invalid if the owner is no account."""
    if owner is not None and not User.objects.filter(username=owner.removeprefix(USER_PREFIX)).exists():
        raise Invalid.field("owner", f"there is no account for {owner!r}", "unknown_id")


def _new_notice(arbitration: Arbitration, kind: str, step: int, recipient: Recipient, now: datetime) -> Notice:
    channel, urgency = recipient.channel, arbitration.urgency
    waiting = Notice.objects.waiting().filter(channel=channel)
    waits = waits_for_digest(channel, urgency)
    digest_at = waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first() if waits else None
    return Notice(
        arbitration=arbitration,
        channel=channel,
        to=recipient.to,
        kind=kind,
        step=step,
        urgency=urgency,
        waits=waits,
        next_attempt_at=first_attempt_at(channel, urgency, now, digest_at),
        created_at=now,
    )


def _end_questions(arbitration: Arbitration, now: datetime) -> list[Recipient]:
    """End the notices that still ask for an answer. Return who has been told of the question, or is being told."""
    asked = Notice.objects.filter(arbitration=arbitration, kind__in=QUESTIONS)
    _end_all(asked.filter(status=NoticeStatus.PENDING, claim=None, digest=None), NoticeStatus.OBSOLETE, now)
    is_told = Q(status=NoticeStatus.SENT) | Q(claim__isnull=False) | Q(digest__isnull=False)
    heard = asked.filter(is_told).select_related("channel").order_by("pk")
    active = (each for each in heard if each.channel.status == ChannelStatus.ACTIVE and not each.channel.removed_at)
    return [*dict.fromkeys(Recipient(each.channel, each.to) for each in active)]


def _end_notices(channel: Channel, now: datetime) -> None:
    """End pending notices. Claimed ones may still succeed: their claim stays."""
    _end_all(Notice.objects.filter(channel=channel, status=NoticeStatus.PENDING), NoticeStatus.DEAD, now)


def _end_all(notices: QuerySet[Notice], status: NoticeStatus, now: datetime) -> None:
    """End notices. They are locked in the order of their ids, so that no two verbs wait for each other."""
    ids = [*notices.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)]
    Notice.objects.filter(pk__in=ids).update(status=status, next_attempt_at=None, ended_at=now)


def _record(channel: Channel, event_type: EventType, *, actor: Actor, now: datetime, **more: Any) -> None:
    """Append an event, without the target: everyone may read the log."""
    payload = {"channel_id": str(channel.pk), "name": channel.name, "kind": str(channel.kind), **more}
    append_without_intent(NewEvent(event_type, payload), actor=actor, now=now)
