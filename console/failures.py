from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from console.changelist import RowsAdmin
from console.filters import OF_INTENT, by, intent_of
from retries.models import Failure


def _state(value: str, now: datetime) -> Q:
    return {
        "open": Q(resolved_at=None),
        "retrying": Q(resolved_at=None, will_retry=True),
        "resolved": Q(resolved_at__isnull=False),
    }[value]


@admin.register(Failure)
class FailureAdmin(RowsAdmin):
    rows_template = "console/failures/list_rows.html"
    panels_template = "console/failures/detail.html"
    search_label = "Search by exact agent or error type"
    list_filter = [
        by("state", "state", [("open", "Open"), ("retrying", "Retrying"), ("resolved", "Resolved")], _state),
        OF_INTENT,
    ]
    search_fields = ["=agent_id", "=error_type"]
    list_select_related = ["intent"]
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("intent").defer("intent__state", "intent__constraints")

    def rows(self, request: HttpRequest, found: list[Failure]) -> dict[str, Any]:
        return {"of_intent": intent_of(request)}

    def panels(self, request: HttpRequest, obj: Failure) -> dict[str, Any]:
        return {"failure": obj}

    def follows(self, obj: Failure) -> dict[str, str]:
        return {"intent": str(obj.intent_id)}
