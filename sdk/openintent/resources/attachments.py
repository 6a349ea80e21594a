"""Attachments of intents (RFC-0005)."""

import base64
from collections.abc import Mapping
from mimetypes import guess_type
from typing import Any

from .._endpoint import Call, endpoint
from ..errors import InputValidationError
from ..models import Attachment
from ..validation import validate_attachment
from ._helpers import Id, list_call, no_content, path, without_none


class AttachmentResource:
    """/intents/{id}/attachments (RFC-0005)."""

    @endpoint
    def add_attachment(
        self,
        intent_id: Id,
        filename: str,
        content_type: str | None = None,
        *,
        content: bytes | None = None,
        content_base64: str | None = None,
        storage_url: str | None = None,
        size: int | None = None,
        sha256: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Attachment]:
        """Attach a file: its bytes (`content` or `content_base64`), or the address where they are stored (`storage_url` and `size`).

        Without a `content_type` it is guessed from the name. The server stores equal bytes once.

        Raises InputValidationError, NotFoundError, ValidationError `too_large` (`response["limit"]`).
        """
        validate_attachment(
            filename,
            content_type,
            storage_url=storage_url,
            size=size,
            description=description,
            sha256=sha256,
            metadata=metadata,
        )
        if [content, content_base64, storage_url].count(None) != 2:
            raise InputValidationError("pass one of content, content_base64 and storage_url", field="content")
        body = without_none(
            filename=filename,
            content_type=content_type or guess_type(filename)[0],
            content_base64=content_base64 if content is None else base64.b64encode(content).decode(),
            storage_url=storage_url,
            size=size,
            sha256=sha256,
            description=description,
            metadata=metadata,
        )
        return Call(
            method="POST",
            path=path("intents", intent_id, "attachments"),
            json=body,
            parse=Attachment.from_json,
            idempotency_key=idempotency_key,
        )

    @endpoint
    def get_attachments(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Attachment]]:
        """Return the intent's attachments, the oldest first. Raises NotFoundError."""
        return list_call(path("intents", intent_id, "attachments"), "attachments", Attachment, limit=limit)

    @endpoint
    def get_attachment_content(self, intent_id: Id, attachment_id: Id) -> Call[bytes]:
        """Return the bytes of an attachment. Raises NotFoundError, also if they are stored elsewhere (`storage_url`)."""
        return Call(
            method="GET",
            path=path("intents", intent_id, "attachments", attachment_id, "content"),
            parse=bytes,
            is_binary=True,
        )

    @endpoint
    def delete_attachment(self, intent_id: Id, attachment_id: Id) -> Call[None]:
        """Delete an attachment, and its bytes unless another attachment has the same. Idempotent. Raises NotFoundError."""
        return Call(method="DELETE", path=path("intents", intent_id, "attachments", attachment_id), parse=no_content)
