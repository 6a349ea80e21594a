"""Failures: the list, and one failure."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from console.changelist import ListAdmin
from console.filters import INTENT_FILTER, choice_filter, selected_intent
from retries.models import Failure


def state_filter(value: str, now: datetime) -> Q:
    return {
        "open": Q(resolved_at=None),
        "retrying": Q(resolved_at=None, will_retry=True),
        "resolved": Q(resolved_at__isnull=False),
    }[value]


@admin.register(Failure)
class FailureAdmin(ListAdmin):
    list_template = "console/failures/list_rows.html"
    detail_template = "console/failures/detail.html"
    topic = ("intent", "intent_id")
    search_label = "Search by exact agent or error type"
    list_filter = [
        choice_filter("state", "state", [("open", "Open"), ("retrying", "Retrying"), ("resolved", "Resolved")], state_filter),
        INTENT_FILTER,
    ]
    search_fields = ["=agent_id", "=error_type"]
    list_select_related = ["intent"]
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("intent").defer("intent__state", "intent__constraints")

    def list_context(self, request: HttpRequest, found: list[Failure]) -> dict[str, Any]:
        return {"of_intent": selected_intent(request)}
