"""Attachments (RFC-0005)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._model import INSTANT, Model


@dataclass(frozen=True, kw_only=True)
class Attachment(Model):
    """A file attached to an intent.

    `url` is a path of the server, whose bytes `get_attachment_content` returns, or the `storage_url` of a file that is stored
    elsewhere; `sha256` is the digest, None if it is unknown.
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

    @property
    def mime_type(self) -> str:
        """`content_type`, by its name in openintent 0.5."""
        return self.content_type

    @property
    def storage_url(self) -> str:
        """`url`, by its name in openintent 0.5."""
        return self.url
