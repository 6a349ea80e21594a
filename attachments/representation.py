"""Representation of attachments (protocol §3)."""

from rest_framework import serializers

from attachments.models import Attachment
from core.api.representation import ResponseSerializer
from core.root_path import public_path


class AttachmentOut(ResponseSerializer):
    id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    filename = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")
    sha256 = serializers.CharField(
        allow_null=True, help_text="Null for a file that is stored elsewhere and was attached without it."
    )
    description = serializers.CharField(allow_null=True)
    metadata = serializers.DictField()
    url = serializers.SerializerMethodField(help_text="URL of the bytes: a path of this server, or the given storage_url.")
    uploaded_by = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_url(self, attachment: Attachment) -> str:
        own_path = public_path(f"/api/v1/intents/{attachment.intent_id}/attachments/{attachment.pk}/content")
        return attachment.storage_url or own_path
