"""Schedule of notices: quiet hours and digests delay low and normal, never high (rule H-6)."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from governance.models import Urgency
from notices.models import Channel


def may_wait(urgency: str) -> bool:
    """Return whether quiet hours and digests delay a notice of this urgency."""
    return urgency != Urgency.HIGH


def waits_for_digest(channel: Channel, urgency: str) -> bool:
    return channel.digest is not None and may_wait(urgency)


def first_attempt_at(channel: Channel, urgency: str, now: datetime, digest_at: datetime | None) -> datetime:
    """Return when a notice is sent, or its digest; `digest_at` is when the channel's next one is due, if there is one."""
    at = now
    if waits_for_digest(channel, urgency):
        at = digest_at or now + timedelta(seconds=channel.digest["every_seconds"])
    return outside_quiet_hours(channel, urgency, at)


def outside_quiet_hours(channel: Channel, urgency: str, at: datetime) -> datetime:
    """Return the time, or the end of the quiet hours in which it lies."""
    if channel.quiet_hours is None or not may_wait(urgency):
        return at
    return max(at, _end_of_quiet_hours(channel.quiet_hours, at) or at)


def _end_of_quiet_hours(quiet: dict[str, Any], at: datetime) -> datetime | None:
    """Return when the quiet hours end, or None if the time is in none. They may go over midnight."""
    begins, ends = time.fromisoformat(quiet["from"]), time.fromisoformat(quiet["until"])
    local = at.astimezone(ZoneInfo(quiet["time_zone"]))
    clock = local.time().replace(fold=0)
    is_quiet = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1) if clock >= ends else local.date()
    return datetime.combine(day, ends, local.tzinfo).astimezone(at.tzinfo)
