"""Routes of attachments."""

from django.urls import path

from attachments.views import AttachmentViewSet, ContentViewSet

ATTACHMENTS = "intents/<id:intent_id>/attachments"

urlpatterns = [
    path(ATTACHMENTS, AttachmentViewSet.as_view({"post": "create", "get": "list"})),
    path(f"{ATTACHMENTS}/<id:attachment_id>", AttachmentViewSet.as_view({"delete": "remove"})),
    path(f"{ATTACHMENTS}/<id:attachment_id>/content", ContentViewSet.as_view({"get": "content"})),
]
