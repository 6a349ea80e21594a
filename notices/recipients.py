"""Recipients of a notice: people and groups, and the channels by which they are told (protocol §10)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from access.identity import SYSTEM
from access.roles import OPERATORS, with_roles
from core.agent_ids import USER_PREFIX
from governance.models import Urgency
from governance.recipients import people_of
from notices.models import Channel, ChannelKind, ChannelStatus

DECIDERS = ("arbiter", *OPERATORS)
"""Roles of people who may decide, as access.roles names them."""
DEFAULT_NAME = "E-mail to the addresses of accounts"


class Recipient(NamedTuple):
    """A channel, and the person who is told by it; empty for a shared channel."""

    channel: Channel
    to: str = ""


def recipients(to: Collection[str], urgency: str, now: datetime) -> list[Recipient]:
    """Return by which channels people and groups are told; without anybody among them, all people who may decide.

    Shared channels hear every question. Nobody is told by nothing: whoever has no channel is not in the result.
    """
    people = _people(to)
    names = [_name(each) for each in people]
    active = Channel.objects.active().filter(is_default=False).filter(Q(owner=None) | Q(owner__in=names)).order_by("pk")
    heard = [each for each in active if each.hears(urgency)]
    shared = [Recipient(each) for each in heard if each.owner is None]
    own = [Recipient(each, each.owner) for each in heard if each.owner is not None]
    reached = {each.to for each in own}
    return [*shared, *own, *_by_account([each for each in people if _name(each) not in reached], now)]


def address_of(to: str) -> str | None:
    """Return the e-mail address of an active account, or None if it has none."""
    found = User.objects.filter(username=to.removeprefix(USER_PREFIX), is_active=True).values_list("email", flat=True)
    return found.first() or None


def is_email_configured() -> bool:
    return bool(settings.EMAIL_HOST)


def _by_account(people: Sequence[User], now: datetime) -> Iterator[Recipient]:
    """Yield the people who have no channel of their own, by e-mail to the address of their account."""
    reachable = [each for each in people if each.email]
    if not reachable or not is_email_configured():
        return
    channel, _ = Channel.objects.get_or_create(
        is_default=True,
        defaults={
            "name": DEFAULT_NAME,
            "kind": ChannelKind.EMAIL,
            "urgencies": Urgency.values,
            "created_by": SYSTEM.id,
            "created_at": now,
        },
    )
    if channel.status == ChannelStatus.ACTIVE:
        yield from (Recipient(channel, _name(each)) for each in reachable)


def _people(to: Collection[str]) -> list[User]:
    """Return the active people who are named, or those who may decide if there are none (rule H-5)."""
    named = people_of(to).order_by("pk") if to else ()
    return [*named] or [*with_roles(User.objects.filter(is_active=True)).filter(role__in=DECIDERS).order_by("pk")]


def _name(person: User) -> str:
    return f"{USER_PREFIX}{person.get_username()}"
