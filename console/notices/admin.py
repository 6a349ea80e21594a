"""Notices: the list, one notice, and sending it again."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from access.models import Role
from access.roles import has_role
from console.actions import action
from console.changelist import ListAdmin
from console.filters import choice_filter
from console.notices import pages
from core.db import database_now
from notices import services
from notices.models import Notice

POLL_SECONDS = 5  # Seconds. No event tells of an attempt, so the pages look by themselves.


@admin.register(Notice)
class NoticeAdmin(ListAdmin):
    list_display = ["kind"]
    list_filter = [choice_filter("state", "state", [*pages.LABELS.items()], lambda status, _: Q(status=status), default="all")]
    search_fields = ["=to", "channel__name", "arbitration__reason"]
    search_label = "Search by person, channel or question"
    ordering = ["-pk"]
    actions = ["resend"]
    list_template = "console/notices/list_rows.html"
    detail_template = "console/notices/detail.html"
    refresh_seconds = list_refresh_seconds = POLL_SECONDS
    event_types = list_event_types = "nothing"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return super().get_queryset(request).select_related("channel", "arbitration", "digest")

    def list_context(self, request: HttpRequest, found: list[Notice]) -> dict[str, Any]:
        rows = pages.notice_rows(Notice.objects.filter(pk__in=[each.pk for each in found]).order_by("-pk"), database_now())
        return {"notices": rows, "may_resend": has_role(request, Role.ARBITER)}

    def detail_context(self, request: HttpRequest, obj: Notice) -> dict[str, Any]:
        [row] = pages.notice_rows(Notice.objects.filter(pk=obj.pk), database_now())
        return {"row": row, "title": f"{row.what} by {obj.channel.name}"}

    def is_offered(self, request: HttpRequest, name: str, obj: Notice) -> bool:
        return pages.NoticeRow(obj, is_on_its_way=False).may_be_sent

    @action("Resend", "Resend selected notices", role=Role.ARBITER)
    def resend(self, request: HttpRequest, notice: Notice) -> str:
        services.resend_notice(notice_id=notice.pk)
        return "The notice is sent again now."
