"""Endpoints of attachments (RFC-0005)."""

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from access.identity import get_actor
from attachments import blob_store, ranges, services
from attachments.errors import AttachmentNotFound, BytesMissing, StoredElsewhere
from attachments.models import Attachment
from attachments.multipart import form_values
from attachments.openapi import DOWNLOAD, FILE
from attachments.representation import AttachmentOut
from attachments.serializers import AttachBytes, AttachFile, AttachReference
from core.api.parsers import JSONParser
from core.api.responses import Response
from core.api.serializers import reject_unknown_parameters, validate_data
from core.api.views import ApiViewSet
from core.errors import Invalid
from core.openapi import operation
from intents.models import Intent

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache",
}

_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()+,=@-]")

log = logging.getLogger("openintent.attachments")


class AttachmentViewSet(ApiViewSet):
    parser_classes = [JSONParser, MultiPartParser]
    tags = ["Attachments"]
    serializer_class = AttachmentOut
    list_name = "attachments"
    lookup_url_kwarg = "attachment_id"
    upload: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Store the bytes before the transaction begins, also before the one that records an Idempotency-Key.

        SQLite has one writer, which must not wait for a disk or a network.
        """
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and hasattr(self, "post"):
            Intent.objects.require(kwargs["intent_id"])
            self.upload = read_upload(request)
            if content := self.upload.get("content"):
                blob_store.store(content)

    @operation("add_attachment", "Attach a file to an intent", request=FILE)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """Send the bytes as base64 in JSON, or as the `file` of a form (better for large files), or refer to a file stored elsewhere by `storage_url` and `size`. Equal bytes are stored once."""
        return self.respond(services.add_attachment(intent_id=intent_id, actor=get_actor(request), **self.upload), status=201)

    @operation("get_attachments", "List the attachments of an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first; `url` is the address of the bytes."""
        return self.respond_list(Attachment.objects.filter(intent_id=Intent.objects.require(intent_id)))

    @operation("delete_attachment", "Remove an attachment")
    def destroy(self, request: Request, intent_id: UUID | str, attachment_id: UUID | str) -> Response:
        """The bytes are deleted if no other attachment has the same."""
        services.remove_attachment(intent_id=intent_id, attachment_id=attachment_id, actor=get_actor(request))
        return Response(status=204)

    @operation("get_attachment_content", "Get the bytes of an attachment", **DOWNLOAD)
    @action(detail=True)
    def content(self, request: Request, intent_id: UUID | str, attachment_id: UUID | str) -> HttpResponseBase:
        """The bytes as they were uploaded. One range at a time; several ranges return the whole. 404 if the file is stored elsewhere: the message has its URL."""
        reject_unknown_parameters(request, [])
        return serve_content(request.META, str(request.method), get_stored_attachment(intent_id, attachment_id))


def serve_content(meta: Mapping[str, Any], method: str, attachment: Attachment) -> HttpResponseBase:
    """Return the bytes, or the requested range. Browsers save them and never run them. Raise BytesMissing."""
    etag = f'"{attachment.sha256}"'
    if ranges.is_not_modified(meta, etag):
        return HttpResponse(status=304, headers={**SAFE, "ETag": etag})
    if method == "HEAD":  # Ranges are for GET alone (RFC 9110 §14.2).
        return StreamingHttpResponse([], headers=content_headers(attachment, attachment.size))
    requested = ranges.requested_range(meta, etag, attachment.size)
    start, length = requested or (0, attachment.size)
    response = StreamingHttpResponse(open_content(attachment, start, length), headers=content_headers(attachment, length))
    if requested:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{attachment.size}"
    return response


def content_headers(attachment: Attachment, length: int) -> dict[str, str]:
    return {
        **SAFE,
        "ETag": f'"{attachment.sha256}"',
        "Content-Type": attachment.content_type,
        "Content-Disposition": content_disposition(attachment.filename),
        "Content-Length": str(length),
    }


def content_disposition(filename: str) -> str:
    """Return the Content-Disposition header: saved under its name, never displayed, without a path (RFC 6266 §4.3).

    The name is sent twice: plain for old clients, and percent-encoded with all its characters.
    """
    name = re.sub(r"[/\\]", "_", filename)
    if not name.strip(". "):
        name = "attachment"
    return f"attachment; filename=\"{_UNSAFE.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"


def read_upload(request: Request) -> dict[str, Any]:
    """Return the fields of the attachment, with its `content` or `storage_url`. Raise ValidationError, Invalid or TooLarge."""
    if request.content_type.partition(";")[0].strip().lower() == MultiPartParser.media_type:
        return validate_data(AttachFile, form_values(request.data))
    if "HTTP_IDEMPOTENCY_KEY" in request.META:
        _ = request._request.body  # Kept for the fingerprint of the key.
    data = request.data
    if not isinstance(data, dict) or "storage_url" not in data:
        return validate_data(AttachBytes, data)
    if "content_base64" in data:
        raise Invalid.field("content_base64", "is not valid with storage_url")
    return validate_data(AttachReference, data)


def get_stored_attachment(intent_id: UUID | str, attachment_id: UUID | str) -> Attachment:
    """Return an attachment that is stored here. Raise IntentNotFound, AttachmentNotFound or StoredElsewhere."""
    intent = Intent.objects.require(intent_id)
    found = Attachment.objects.filter(intent=intent, pk=attachment_id).first() if isinstance(attachment_id, UUID) else None
    if found is None:
        raise AttachmentNotFound(attachment_id)
    if found.storage_url:
        raise StoredElsewhere(found.storage_url)
    return found


def open_content(attachment: Attachment, start: int, length: int) -> blob_store.LimitedReader:
    """Open a range of the attachment's bytes. Raise BytesMissing."""
    try:
        return blob_store.open_range(str(attachment.blob_id), start, length)
    except FileNotFoundError:
        log.error("the bytes of attachment %s are missing in the storage", attachment.pk)
        raise BytesMissing from None
