from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from console.changelist import RowsAdmin
from costs.models import Cost
from intents.events import EventType


@admin.register(Cost)
class CostAdmin(RowsAdmin):
    """The single costs; console.costs.views has their sums."""

    title = "Cost entries"
    rows_template = "console/costs/list_rows.html"
    panels_template = "console/costs/detail.html"
    search_label = "Search by exact agent, type, provider or model"
    search_fields = ["=agent_id", "=cost_type", "=provider", "=model"]
    list_select_related = ["intent"]
    list_only = EventType.COST_RECORDED
    ordering = ["-pk"]

    def panels(self, request: HttpRequest, obj: Cost) -> dict[str, Any]:
        return {"cost": obj}
