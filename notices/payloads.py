"""Payloads of notices: the request for each kind of channel. All text in a message is from others and is escaped."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from core.encoding import instant
from core.errors import truncate
from governance.models import Urgency
from notices.inert_text import as_code, escape_slack, unmention
from notices.messages import Message
from notices.models import ChannelKind

OPEN = "Open the question"
MAX_SLACK_TEXT = 2_900  # Characters, with the escaped ones; Slack takes 3,000.
MAX_CODE = 3_900  # Characters; Discord takes 4,096 in an embed, and 6,000 in all.
MAX_NTFY = 3_900  # Bytes; ntfy makes a file of more than 4,096.
NTFY_PRIORITY = {Urgency.LOW: 2, Urgency.NORMAL: 3, Urgency.HIGH: 4}


def request_for(kind: str, target: str, message: Message, at: datetime) -> tuple[str, dict[str, Any]]:
    """Return the URL and the JSON body for a channel with a URL."""
    if kind == ChannelKind.NTFY:
        return _ntfy(target, message)
    if kind == ChannelKind.WEBHOOK:
        return target, {"type": f"notice.{message.data['kind']}", "timestamp": instant(at), "data": message.data}
    return target, _BODIES[ChannelKind(kind)](message)


def _slack(message: Message) -> dict[str, Any]:
    """An incoming webhook: blocks of plain text, in which Slack finds no markup."""
    blocks: list[dict[str, Any]] = []
    for part in message.parts:
        text = truncate(escape_slack(part.plain()), MAX_SLACK_TEXT)
        blocks.append({"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}})
        if part.link:
            link = {"type": "mrkdwn", "text": f"<{part.link}|{OPEN}>", "verbatim": True}
            blocks.append({"type": "context", "elements": [link]})
    more = {"mrkdwn": False, "parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
    return {"text": message.summary, "blocks": blocks, **more}


def _teams(message: Message) -> dict[str, Any]:
    """A workflow's webhook with an adaptive card: text runs, in which Teams finds no markup."""
    body: list[dict[str, Any]] = []
    for part in message.parts:
        body.append(_text_run(part.heading, weight="Bolder"))
        body += [_text_run(line) for line in part.plain().splitlines()[1:] if line]
        if part.link:
            body.append({"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": OPEN, "url": part.link}]})
    schema = "http://adaptivecards.io/schemas/adaptive-card.json"
    card = {"$schema": schema, "type": "AdaptiveCard", "version": "1.4", "body": body}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "summary": message.summary, "attachments": [attachment]}


def _text_run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _mattermost(message: Message) -> dict[str, Any]:
    """An incoming webhook: text of others is in blocks of code."""
    parts = []
    for part in message.parts:
        link = f"\n[{OPEN}]({part.link})" if part.link else ""
        parts.append(as_code(unmention(truncate(part.plain(), MAX_CODE))) + link)
    return {"text": "\n".join([message.summary, *parts])}


def _discord(message: Message) -> dict[str, Any]:
    """A webhook: an embed for each question, with text of others in a block of code."""
    embeds = []
    for part in message.parts:
        link = {"title": OPEN, "url": part.link} if part.link else {}
        embeds.append({**link, "description": as_code(truncate(part.plain(), MAX_CODE))})
    return {"content": message.summary, "embeds": embeds, "allowed_mentions": {"parse": []}}


def _ntfy(target: str, message: Message) -> tuple[str, dict[str, Any]]:
    """Publishing as JSON, which goes to the address of the server with the topic in the body."""
    parts = urlsplit(target)
    path, _, topic = parts.path.rpartition("/")
    share = MAX_NTFY // len(message.parts)
    body: dict[str, Any] = {
        "topic": topic,
        "title": message.subject if len(message.parts) > 1 else message.summary,
        "message": "\n\n".join(_fit(part.plain(), share - 2) for part in message.parts),
        "priority": NTFY_PRIORITY[Urgency(message.urgency)],
    }
    if message.parts[0].link:
        body["click"] = message.parts[0].link
    return urlunsplit((parts.scheme, parts.netloc, f"{path}/", parts.query, "")), body


def _fit(text: str, size: int) -> str:
    """Return the text, cut to a number of bytes with an ellipsis."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[: size - 3].decode(errors="ignore") + "…"


_BODIES: dict[ChannelKind, Callable[[Message], dict[str, Any]]] = {
    ChannelKind.SLACK: _slack,
    ChannelKind.TEAMS: _teams,
    ChannelKind.MATTERMOST: _mattermost,
    ChannelKind.DISCORD: _discord,
}
