"""Cost entries, one by one. console.costs.views has their sums."""

from django.contrib import admin

from console.changelist import ListAdmin
from costs.models import Cost
from intents.events import EventType


@admin.register(Cost)
class CostAdmin(ListAdmin):
    title = "Cost entries"
    list_template = "console/costs/list_rows.html"
    detail_template = "console/costs/detail.html"
    search_label = "Search by exact agent, type, provider or model"
    search_fields = ["=agent_id", "=cost_type", "=provider", "=model"]
    list_select_related = ["intent"]
    list_event_types = EventType.COST_RECORDED
    ordering = ["-pk"]
