"""An attachment as the API shows it, in answers, in events and in headers."""

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
    ours = public_path(f"/api/v1/intents/{attachment.intent_id}/attachments/{attachment.pk}/content")
    return attachment.storage_url or ours


def content_disposition(filename: str) -> str:
    """Content-Disposition: saved under its name, never shown, and never outside of the reader's folder (RFC 6266 §4.3).

    The name comes twice: plain for old readers, and encoded, which may be anything.
    """
    name = re.sub(r"[/\\]", "_", filename)
    if not name.strip(". "):
        name = "attachment"
    return f"attachment; filename=\"{_UNSAFE.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"
