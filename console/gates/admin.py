"""Gates: listed, set and removed (rule A-12)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access.models import Role
from access.roles import actor_from_user, is_operator
from console.actions import action
from console.admin_mixins import OperatorPages, form_page
from console.changelist import ListAdmin
from console.gates.forms import GateForm
from governance import services
from governance.models import Gate


@admin.register(Gate)
class GateAdmin(OperatorPages, ListAdmin):
    list_display = ["verb"]
    search_fields = ["verb", "intent__title", "portfolio__name"]
    search_label = "Search by operation, intent or portfolio"
    ordering = ["pk"]
    actions = ["remove"]
    list_template = "console/gates/list_rows.html"
    detail_template = "console/gates/detail.html"
    list_event_types = event_types = "gate_set gate_removed"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Gate]:
        heavy = ("intent__state", "intent__constraints")
        return super().get_queryset(request).select_related("intent", "portfolio").defer(*heavy).filter(removed_at=None)

    def return_url(self, request: HttpRequest) -> str | None:
        """Return no path after a removal: the page of what was removed is gone."""
        return None if request.POST.get("action") == "remove" else super().return_url(request)

    def list_context(self, request: HttpRequest, found: list[Gate]) -> dict[str, Any]:
        return {"gates": found, "may_set": is_operator(request)}

    @action("Set gate", role=Role.OPERATOR, form=GateForm, page=form_page("console/gates/create.html", "Set a gate"))
    def create(self, request: HttpRequest, _: None, **given: Any) -> HttpResponse:
        gate = services.set_gate(actor=actor_from_user(request), **given)
        messages.success(request, f"The gate of {gate.verb} is set.")
        return redirect("admin:governance_gate_change", gate.pk)

    @action(
        "Remove",
        "Remove selected gates",
        role=Role.OPERATOR,
        done="Removed",
        warning="From now on the operation needs no permit because of it.",
    )
    def remove(self, request: HttpRequest, gate: Gate) -> None:
        services.remove_gate(gate_id=gate.pk, actor=actor_from_user(request))
