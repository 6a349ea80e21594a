"""Attachments: previewed where that is harmless, downloaded, removed."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from access.models import Role
from access.roles import actor_from_user, has_role
from attachments import services
from attachments.errors import BytesMissing
from attachments.models import Attachment
from attachments.views import serve_content
from console.actions import action
from console.attachments import previews
from console.changelist import ListAdmin
from console.filters import INTENT_FILTER, choice_filter, selected_intent
from intents.events import EventType

MAX_THUMBNAIL_BYTES = 512 * 2**10  # Bytes of an image that a list shows. They come as they are, fifty to a page.
MAX_DUPLICATES = 20
_TABS = [("image", "Images"), ("text", "Text"), ("other", "Other"), ("elsewhere", "External")]


@admin.register(Attachment)
class AttachmentAdmin(ListAdmin):
    list_template = "console/attachments/list_rows.html"
    detail_template = "console/attachments/detail.html"
    own_paths = (("<uuid:object_id>/content/", "content", "content"),)
    topic = ("intent", "intent_id")
    search_label = "Search by file name, exact agent or SHA-256"
    list_filter = [
        choice_filter("kind", "kind", _TABS, lambda kind, now: previews.filter_by_kind(kind)),
        INTENT_FILTER,
    ]
    actions = ["remove"]
    ordering = ["-id"]
    event_types = list_event_types = f"{EventType.ATTACHMENT_ADDED} {EventType.ATTACHMENT_REMOVED}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        found = super().get_queryset(request).select_related("intent")
        return found.defer("intent__state", "intent__constraints", "intent__description")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Attachment], search_term: str
    ) -> tuple[QuerySet[Attachment], bool]:
        """Take a search term with blanks as one name."""
        term = search_term.replace("\0", "").strip()
        is_like_it = Q(filename__icontains=term) | Q(sha256=term.lower()) | Q(uploaded_by=term)
        return (queryset.filter(is_like_it) if term else queryset), False

    def list_context(self, request: HttpRequest, found: list[Attachment]) -> dict[str, Any]:
        return {
            "rows": [(previews.make_preview(each), each.size <= MAX_THUMBNAIL_BYTES) for each in found],
            "of_intent": selected_intent(request),
            "may_remove": bool(found) and has_role(request, Role.OPERATOR),
        }

    def detail_context(self, request: HttpRequest, obj: Attachment) -> dict[str, Any]:
        place = previews.storage_state(obj)
        twins = Attachment.objects.filter(blob=obj.blob_id, blob__isnull=False).exclude(pk=obj.pk).select_related("intent")
        return {
            "shown": previews.make_preview(obj, most=previews.LONG) if place == "here" else previews.Preview(obj, ""),
            "place": place,
            "twins": twins.defer("intent__state", "intent__constraints").order_by("-pk")[:MAX_DUPLICATES],
            "script": "console/copy.js",
        }

    def return_url(self, request: HttpRequest) -> str | None:
        """Return None if the page that sent the action is that of a removed attachment."""
        is_left = Attachment.objects.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)).exists()
        return super().return_url(request) if is_left else None

    @action(
        "Remove",
        "Remove selected attachments",
        role=Role.OPERATOR,
        done="Removed",
        warning="Stored files are deleted unless another attachment uses them. This can't be undone.",
    )
    def remove(self, request: HttpRequest, attachment: Attachment) -> None:
        services.remove_attachment(intent_id=attachment.intent_id, attachment_id=attachment.pk, actor=actor_from_user(request))

    @method_decorator(require_safe)
    def content(self, request: HttpRequest, object_id: UUID) -> HttpResponseBase:
        """Serve the bytes as the API does, to people who may view attachments."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        attachment = get_object_or_404(Attachment, pk=object_id, storage_url=None)
        try:
            response = serve_content(request.META, str(request.method), attachment)
        except BytesMissing as missing:
            raise Http404(missing.detail) from None
        response.headers["Cache-Control"] = "private, no-cache"
        return response
