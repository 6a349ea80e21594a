"""Decisions in the console."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from console.changelist import RowsAdmin
from governance.models import Decision


@admin.register(Decision)
class DecisionAdmin(RowsAdmin):
    list_display = ["decision"]
    search_fields = ["decision", "decided_by", "rationale", "intent__title"]
    search_label = "Search by decision, rationale, person or intent"
    rows_template = "console/decisions/list_rows.html"
    panels_template = "console/decisions/detail.html"
    list_only = only = "decision_recorded"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        heavy = ("intent__state", "intent__constraints", "arbitration__context", "arbitration__options")
        return super().get_queryset(request).select_related("intent", "arbitration").defer(*heavy).order_by("-pk")

    def panels(self, request: HttpRequest, obj: Decision) -> dict[str, Any]:
        return {"decision": obj}
