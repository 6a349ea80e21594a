"""Attachment verbs: add, remove, delete orphans (RFC-0005).

Every change of a Blob row, and every deletion of bytes, holds the lock on the digest: bytes are not deleted while another
upload of the same bytes arrives. It is taken after the intent's row, and nothing after it.
"""

from typing import Any
from uuid import UUID

from django.db import transaction

from access.identity import Actor
from attachments import blob_store
from attachments.blob_store import Upload
from attachments.errors import AttachmentNotFound
from attachments.models import Attachment, Blob
from attachments.representation import AttachmentOut
from core.db import acquire_advisory_lock, atomic_verb
from intents.events import EventType, NewEvent, append
from intents.write_lock import lock_for_write

_PAYLOAD_FIELDS = ("filename", "content_type", "size", "sha256", "url")


@atomic_verb
def add_attachment(*, intent_id: UUID | str, actor: Actor, content: Upload | None = None, **fields: Any) -> Attachment:
    """Attach a file to an intent: `content`, whose bytes are stored already, or what is at `storage_url` (rules T-1, T-4).

    `fields` are those of the attachment; `size` and `sha256` are those of the content, if there is one.

    Raises IntentNotFound, LeaseLost.
    """
    intent = lock_for_write(intent_id, actor, "add_attachment")
    now = intent.now()
    if content:
        _lock(content.sha256)
        blob_store.store(content)  # The bytes may have been deleted again since the upload.
        blob, _ = Blob.objects.get_or_create(pk=content.sha256, defaults={"size": content.size, "created_at": now})
        fields |= {"size": content.size, "sha256": content.sha256, "blob": blob}
    attachment = Attachment(intent=intent, uploaded_by=actor.id, created_at=now, **fields)
    attachment.save(force_insert=True)
    body = AttachmentOut.render(attachment)
    payload = {"attachment_id": body["id"], **{name: body[name] for name in _PAYLOAD_FIELDS}}
    append(intent, NewEvent(EventType.ATTACHMENT_ADDED, payload), actor=actor, now=now)
    return attachment


@atomic_verb
def remove_attachment(*, intent_id: UUID | str, attachment_id: UUID | str, actor: Actor) -> None:
    """Remove the attachment, and its bytes if nothing else refers to them (rule T-4). Idempotent.

    Raises IntentNotFound, AttachmentNotFound for a malformed id, LeaseLost.
    """
    intent = lock_for_write(intent_id, actor, "delete_attachment")
    if not isinstance(attachment_id, UUID):
        raise AttachmentNotFound(attachment_id)
    attachment = Attachment.objects.filter(intent=intent, pk=attachment_id).first()
    if attachment is None:
        return
    payload = {"attachment_id": str(attachment.pk), "filename": attachment.filename}
    attachment.delete()
    if digest := attachment.blob_id:
        _lock(digest)
        if not Attachment.objects.filter(blob=digest).exists():
            Blob.objects.filter(pk=digest).delete()
            # Robust: if the storage is unreachable, housekeeping deletes the bytes later, and the attachment is removed anyway.
            transaction.on_commit(lambda: _delete_unreferenced(digest), robust=True)
    append(intent, NewEvent(EventType.ATTACHMENT_REMOVED, payload), actor=actor, now=intent.now())


def delete_orphans(folders: list[str] | None = None) -> int:
    """Delete stored files that no row refers to and that are older than a day. Return the number of deleted digests.

    Looks into some of the 256 folders, others each time; `folders` names them.
    """
    digests, partial = blob_store.list_old(folders)
    for name in partial:
        blob_store.storage().delete(name)
    known = set(Blob.objects.filter(pk__in=digests).values_list("pk", flat=True))
    return sum(_delete_unreferenced(digest) for digest in digests if digest not in known)


@atomic_verb
def _delete_unreferenced(digest: str) -> bool:
    """Delete the bytes if no blob refers to them. Return whether they were deleted."""
    _lock(digest)
    if Blob.objects.filter(pk=digest).exists():
        return False
    blob_store.delete(digest)
    return True


def _lock(digest: str) -> None:
    acquire_advisory_lock(f"blob:{digest}")
