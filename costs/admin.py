from django.contrib import admin

from console.admin import ReadOnlyAdmin
from costs.amounts import PARTS, as_text
from costs.models import Cost, Spending


@admin.register(Cost)
class CostAdmin(ReadOnlyAdmin):
    list_display = ["recorded_at", "cost_type", "exact_amount", "unit", "agent_id", "provider", "model", "intent"]
    list_filter = ["unit", "recorded_at"]
    search_fields = ["=agent_id", "=cost_type", "=provider", "=model"]
    list_select_related = ["intent"]
    ordering = ["-pk"]

    @admin.display(description="amount")
    def exact_amount(self, cost: Cost) -> str:
        return as_text(cost.amount)


@admin.register(Spending)
class SpendingAdmin(ReadOnlyAdmin):
    list_display = ["intent", "cost_type", "agent_id", "provider", "model", "exact_sum", "unit", "count"]
    list_filter = ["unit"]
    search_fields = ["=agent_id", "=cost_type", "=provider", "=model"]
    list_select_related = ["intent"]
    ordering = ["-pk"]

    @admin.display(description="sum")
    def exact_sum(self, spending: Spending) -> str:
        return as_text(spending.whole * PARTS + spending.parts)
