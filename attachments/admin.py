from django.contrib import admin
from django.http import HttpRequest

from access.models import Role
from access.people import actor_of
from attachments import services
from attachments.models import Attachment, Blob
from console.actions import action
from console.admin import ReadOnlyAdmin


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ["filename", "content_type", "size", "intent", "uploaded_by", "created_at"]
    search_fields = ["filename", "=sha256", "=uploaded_by"]
    list_select_related = ["intent"]
    ordering = ["-id"]
    actions = ["remove"]

    @action(
        "Remove the selected attachments",
        least=Role.OPERATOR,
        done="Removed",
        warning="The files go with them, where nothing else points to the same bytes. This cannot be undone.",
    )
    def remove(self, request: HttpRequest, attachment: Attachment) -> None:
        services.remove_attachment(intent_id=attachment.intent_id, attachment_id=attachment.pk, actor=actor_of(request))


@admin.register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    list_display = ["digest", "size", "created_at"]
    search_fields = ["=digest"]
    ordering = ["-created_at"]
