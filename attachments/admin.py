from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from access.models import Role
from access.people import actor_of
from attachments import services
from attachments.errors import BytesMissing
from attachments.models import Attachment, Blob
from attachments.views import served
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

    def get_urls(self) -> list[Any]:
        content = self.admin_site.admin_view(self.content)
        return [path("<uuid:object_id>/content/", content, name="attachments_attachment_content"), *super().get_urls()]

    @method_decorator(require_safe)
    def content(self, request: HttpRequest, object_id: UUID) -> HttpResponseBase:
        """The bytes as the API serves them, for whoever is signed in and may look."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        attachment = get_object_or_404(Attachment, pk=object_id, storage_url=None)
        try:
            response = served(request.META, str(request.method), attachment)
        except BytesMissing as missing:
            raise Http404(missing.detail) from None
        response.headers["Cache-Control"] = "private, no-cache"
        return response


@admin.register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    list_display = ["digest", "size", "created_at"]
    search_fields = ["=digest"]
    ordering = ["-created_at"]
