"""The verbs: all that can change an attachment (RFC-0005).

Whoever makes or removes a row of Blob, or removes the bytes, holds the lock on the digest: bytes do not go while another
upload of the same ones comes. It is taken after the intent's row, and nothing after it.
"""

from typing import Any
from uuid import UUID

from django.db import transaction

from access.identity import Actor
from attachments import blob_store
from attachments.blob_store import Upload
from attachments.errors import AttachmentNotFound
from attachments.models import Attachment, Blob
from attachments.representation import attachment_url
from core.db import acquire_advisory_lock, atomic_verb, database_now
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from leasing.guards import require_token


@atomic_verb
def add_attachment(*, intent_id: UUID | str, actor: Actor, content: Upload | None = None, **fields: Any) -> Attachment:
    """Attach a file to an intent: `content`, whose bytes are stored already, or what lies at `storage_url` (rules T-1, T-4).

    `fields` are those of the attachment; `size` and `sha256` are the content's own, if there is one.

    Raises IntentNotFound, LeaseLost.
    """
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    now = database_now()
    if content:
        fields |= {"size": content.size, "sha256": content.sha256, "blob": _blob(content)}
    attachment = Attachment(intent=intent, uploaded_by=actor.id, created_at=now, **fields)
    attachment.save(force_insert=True)
    payload = {
        "attachment_id": str(attachment.pk),
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "url": attachment_url(attachment),
    }
    append(intent, NewEvent(EventType.ATTACHMENT_ADDED, payload), actor=actor, now=now)
    return attachment


@atomic_verb
def remove_attachment(*, intent_id: UUID | str, attachment_id: UUID | str, actor: Actor) -> None:
    """Remove the attachment, and its bytes if nothing else points to them (rule T-4). Again changes nothing.

    Raises IntentNotFound, AttachmentNotFound for what is no id, LeaseLost.
    """
    intent = Intent.objects.lock(intent_id)
    require_token(intent, actor)
    if not isinstance(attachment_id, UUID):
        raise AttachmentNotFound(attachment_id)
    attachment = Attachment.objects.filter(intent=intent, pk=attachment_id).first()
    if attachment is None:
        return
    payload = {"attachment_id": str(attachment.pk), "filename": attachment.filename}
    attachment.delete()
    if attachment.blob_id:
        _let_go(attachment.blob_id)
    append(intent, NewEvent(EventType.ATTACHMENT_REMOVED, payload), actor=actor, now=database_now())


def delete_orphans(folders: list[str] | None = None) -> int:
    """Delete stored files that no row knows and that are older than a day. Answers how many digests that was.

    In some of the 256 folders, others each time; `folders` says which.
    """
    digests, partial = blob_store.list_old(folders)
    blob_store.delete_partial(partial)
    known = set(Blob.objects.filter(pk__in=digests).values_list("pk", flat=True))
    return sum(_delete_unknown(digest) for digest in digests if digest not in known)


def _blob(content: Upload) -> Blob:
    _lock(content.sha256)
    blob_store.store(content)  # They may have gone again since they were stored.
    blob, _ = Blob.objects.get_or_create(pk=content.sha256, defaults={"size": content.size, "created_at": database_now()})
    return blob


def _let_go(digest: str) -> None:
    """Remove the blob if nothing points to it any more; its bytes once that is certain."""
    _lock(digest)
    if not Attachment.objects.filter(blob=digest).exists():
        Blob.objects.filter(pk=digest).delete()
        # Robust: where the storage is away, the bytes are left to housekeeping, and the attachment is removed all the same.
        transaction.on_commit(lambda: _delete_unknown(digest), robust=True)


@atomic_verb
def _delete_unknown(digest: str) -> bool:
    """Delete the bytes if they still belong to no blob. Answers whether that was so."""
    _lock(digest)
    if Blob.objects.filter(pk=digest).exists():
        return False
    blob_store.delete(digest)
    return True


def _lock(digest: str) -> None:
    acquire_advisory_lock(f"blob:{digest}")
