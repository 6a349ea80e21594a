"""Decisions: the list, and one decision."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from console.changelist import ListAdmin
from governance.models import Decision


@admin.register(Decision)
class DecisionAdmin(ListAdmin):
    list_display = ["decision"]
    search_fields = ["decision", "decided_by", "rationale", "intent__title"]
    search_label = "Search by decision, rationale, person or intent"
    list_template = "console/decisions/list_rows.html"
    detail_template = "console/decisions/detail.html"
    list_event_types = event_types = "decision_recorded"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        heavy = ("intent__state", "intent__constraints", "arbitration__context", "arbitration__options")
        return super().get_queryset(request).select_related("intent", "arbitration").defer(*heavy).order_by("-pk")
