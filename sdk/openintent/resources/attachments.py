"""Attachments of intents (RFC-0005)."""

import base64
from collections.abc import Mapping
from mimetypes import guess_type
from typing import Any

from .._call import Call, list_call, no_content
from .._parameters import Id, one_of, path, without_none
from ..errors import InputValidationError
from ..models import Attachment
from ..validation import validate_attachment
from ._transport import Transport


class AttachmentResource(Transport):
    """/intents/{id}/attachments (RFC-0005)."""

    def add_attachment(
        self,
        intent_id: Id,
        filename: str,
        content_type: str | None = None,
        size: int | None = None,
        storage_url: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        content: bytes | None = None,
        content_base64: str | None = None,
        sha256: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
        mime_type: str | None = None,
    ) -> Attachment:
        """Attach a file: its bytes (`content` or `content_base64`), or the address where they are stored (`storage_url` and `size`).

        Without a `content_type`, of which `mime_type` is an alias, it is guessed from the name. The server stores equal bytes once.

        Raises InputValidationError, NotFoundError, ValidationError `too_large` (`response["limit"]`).
        """
        content_type = one_of(content_type, mime_type, "mime_type")
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
        where = path("intents", intent_id, "attachments")
        return self.send(Call("POST", where, Attachment.from_json, json=body, idempotency_key=idempotency_key))

    def get_attachments(self, intent_id: Id, *, limit: int | None = None) -> list[Attachment]:
        """Return the intent's attachments, the oldest first. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "attachments"), "attachments", Attachment, limit=limit))

    def get_attachment_content(self, intent_id: Id, attachment_id: Id) -> bytes:
        """Return the bytes of an attachment. Raises NotFoundError, also if they are stored elsewhere (`storage_url`)."""
        return self.send(Call("GET", path("intents", intent_id, "attachments", attachment_id, "content"), bytes, is_binary=True))

    def delete_attachment(self, intent_id: Id, attachment_id: Id) -> None:
        """Delete an attachment, and its bytes unless another attachment has the same. Idempotent. Raises NotFoundError."""
        return self.send(Call("DELETE", path("intents", intent_id, "attachments", attachment_id), no_content))
