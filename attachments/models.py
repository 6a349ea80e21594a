"""Attachments and their blobs (RFC-0005)."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from core.db.fields import JSONTextField
from core.ids import new_id

AGENT_ID = 255
MAX_FILENAME = 255
MAX_CONTENT_TYPE = 255
MAX_URL = 2_000
DIGEST = 64


class Blob(models.Model):
    """Bytes in the storage, shared by all attachments with the same content (rule T-1)."""

    digest = models.CharField(primary_key=True, max_length=DIGEST, help_text="SHA-256, in hexadecimal.")
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest


class Attachment(models.Model):
    """A file attached to an intent (RFC-0005): its bytes are a Blob of this server, or at a URL elsewhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="attachments", db_index=False)
    filename = models.CharField(max_length=MAX_FILENAME)
    content_type = models.CharField(max_length=MAX_CONTENT_TYPE)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=DIGEST, null=True)
    blob = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="attachments")
    storage_url = models.CharField(max_length=MAX_URL, null=True)
    description = models.TextField(null=True)
    metadata = JSONTextField(default=dict)
    uploaded_by = models.CharField(max_length=AGENT_ID)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(blob__isnull=True) | Q(storage_url__isnull=True), name="attachment_is_in_one_place"
            ),
            models.CheckConstraint(
                condition=Q(blob__isnull=False) | Q(storage_url__isnull=False), name="attachment_is_somewhere"
            ),
            models.CheckConstraint(
                condition=Q(blob__isnull=True) | Q(sha256__isnull=False, sha256=F("blob")), name="attachment_has_blobs_digest"
            ),
        ]
        indexes = [models.Index(fields=["intent", "id"], name="attachment_by_intent")]

    def __str__(self) -> str:
        return self.filename
