from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from attachments import services
from attachments.models import Attachment, Blob
from console.admin import ReadOnlyAdmin, acting_person


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    list_display = ["filename", "content_type", "size", "intent", "uploaded_by", "created_at"]
    search_fields = ["filename", "=sha256", "=uploaded_by"]
    list_select_related = ["intent"]
    ordering = ["-id"]
    actions = ["remove"]

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("attachments.delete_attachment")

    @admin.action(description="Remove the selected attachments", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Attachment]) -> None:
        chosen = list(queryset)
        for attachment in chosen:
            services.remove_attachment(intent_id=attachment.intent_id, attachment_id=attachment.pk, actor=acting_person(request))
        messages.success(request, f"Removed: {', '.join(map(str, chosen))}.")


@admin.register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    list_display = ["digest", "size", "created_at"]
    search_fields = ["=digest"]
    ordering = ["-created_at"]
