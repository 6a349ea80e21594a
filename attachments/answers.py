"""Representation of attachments in responses, events and headers."""

import re
from typing import Any
from urllib.parse import quote

from attachments.models import Attachment
from core.encoding import identifier, instant, json
from core.root_path import public_path

_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()+,=@-]")


def attachment_body(attachment: Attachment) -> dict[str, Any]:
    return {
        "id": identifier(attachment.pk),
        "intent_id": identifier(attachment.intent_id),
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "description": attachment.description,
        "metadata": json(attachment.metadata),
        "url": attachment_url(attachment),
        "uploaded_by": attachment.uploaded_by,
        "created_at": instant(attachment.created_at),
    }


def attachment_url(attachment: Attachment) -> str:
    own_path = public_path(f"/api/v1/intents/{attachment.intent_id}/attachments/{attachment.pk}/content")
    return attachment.storage_url or own_path


def content_disposition(filename: str) -> str:
    """Return the Content-Disposition header: saved under its name, never displayed, without a path (RFC 6266 §4.3).

    The name is sent twice: plain for old clients, and percent-encoded with all its characters.
    """
    name = re.sub(r"[/\\]", "_", filename)
    if not name.strip(". "):
        name = "attachment"
    return f"attachment; filename=\"{_UNSAFE.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"
