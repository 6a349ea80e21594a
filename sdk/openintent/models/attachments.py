"""Attachments (RFC-0005)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._model import INSTANT, Model


@dataclass(frozen=True, kw_only=True)
class Attachment(Model):
    """A file that travels with an intent.

    `url` is a path of the server, whose bytes `get_attachment_content` answers, or the `storage_url` where they are kept
    elsewhere; `sha256` is their digest, None if nobody knows it.
    """

    id: str
    intent_id: str
    filename: str
    content_type: str
    size: int
    sha256: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    url: str
    uploaded_by: str
    created_at: datetime = field(metadata=INSTANT)
