"""Channel pages: what a channel is for, and what became of its notices."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from console.notices.pages import SHOWN, notice_rows
from notices.models import Channel, ChannelStatus, Notice, NoticeStatus


def masked_target(channel: Channel) -> str:
    """Return what may be seen of the target: a path of a URL and the name of a mailbox may be secrets (rule H-7)."""
    if channel.is_default:
        return "the addresses of accounts"
    shown = []
    for each in channel.target:
        if "://" in each:
            parts = urlsplit(each)
            shown.append(f"{parts.scheme}://{parts.netloc}/…")
        else:
            name, _, host = each.rpartition("@")
            shown.append(f"{name[:1]}…@{host}")
    return ", ".join(shown)


def channel_state(channel: Channel) -> str:
    """Return the status; `failing` while an active one fails."""
    is_failing = channel.status == ChannelStatus.ACTIVE and channel.failing_since is not None
    return "failing" if is_failing else str(channel.status)


def channel_detail(channel: Channel, now: datetime) -> dict[str, Any]:
    sent = Notice.objects.filter(channel=channel)
    return {
        "channel": channel,
        "state": channel_state(channel),
        "target": masked_target(channel),
        "notices": notice_rows(sent.order_by("-pk")[:SHOWN], now),
        "dead": notice_rows(sent.filter(status=NoticeStatus.DEAD).order_by("-pk")[:SHOWN], now),
    }
