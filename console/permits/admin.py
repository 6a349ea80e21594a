"""Permits: the list, one permit with its act in full, revoking, and recording an outcome."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user, has_role
from console.actions import INPUT, ActionForm, ReasonForm, action
from console.changelist import ListAdmin
from console.filters import choice_filter
from console.permits import pages
from governance import services
from governance.models import Permit, PermitOutcome, PermitStatus
from governance.serializers import MAX_NOTE


class OutcomeForm(ActionForm):
    outcome = forms.ChoiceField(
        label="What came of the act?",
        choices=[
            (PermitOutcome.SUCCEEDED, "It was done"),
            (PermitOutcome.FAILED, "It was not done"),
            (PermitOutcome.UNKNOWN, "Nobody knows"),
        ],
        widget=forms.RadioSelect,
        help_text="“It was not done” allows the same effect again. Choose it only if you have checked.",
    )
    note = forms.CharField(
        required=False, max_length=MAX_NOTE, widget=forms.Textarea(attrs={**INPUT, "rows": 3, "maxlength": MAX_NOTE})
    )

    def clean_note(self) -> str | None:
        return self.cleaned_data["note"] or None


@admin.register(Permit)
class PermitAdmin(ListAdmin):
    list_display = ["verb"]
    list_filter = [choice_filter("state", "state", pages.TABS, pages.state_filter, default=PermitStatus.LIVE)]
    search_fields = ["agent_id", "verb", "target", "intent__title"]
    search_label = "Search by agent, verb, target or intent"
    actions = ["revoke", "record_outcome"]
    list_template = "console/permits/list_rows.html"
    detail_template = "console/permits/detail.html"
    topic = ("intent", "intent_id")
    list_event_types = event_types = "permit_granted permit_spent permit_expired permit_revoked outcome_recorded state_patched"
    refresh_seconds = list_refresh_seconds = 30

    def get_queryset(self, request: HttpRequest) -> QuerySet[Permit]:
        found = super().get_queryset(request).select_related("intent", "arbitration", "decision")
        if request.method == "GET":  # Before somebody reads them (rule E-8).
            services.end_due_permits(Permit.objects.all())
        is_live = request.GET.get("state", PermitStatus.LIVE) == PermitStatus.LIVE
        return found.order_by("expires_at", "pk") if is_live else found.order_by("-pk")

    def tab_counts(self, request: HttpRequest, query: str) -> dict[str, int]:
        counted = (PermitStatus.LIVE.value, pages.UNKNOWN)
        found, _ = self.get_search_results(request, Permit.objects.all(), query)
        return {state: found.filter(pages.state_filter(state)).count() for state in counted}

    def list_context(self, request: HttpRequest, found: list[Permit]) -> dict[str, Any]:
        rows = [pages.permit_row(each) for each in found]
        may_act = has_role(request, Role.ARBITER)
        return {"rows": rows, "may_revoke": may_act and any(row["is_live"] for row in rows)}

    def detail_context(self, request: HttpRequest, obj: Permit) -> dict[str, Any]:
        return pages.permit_detail(obj)

    def is_offered(self, request: HttpRequest, name: str, obj: Permit) -> bool:
        row = pages.permit_row(obj)
        return bool(row["is_live"] if name == "revoke" else row["may_settle"])

    @action(
        "Revoke",
        "Revoke selected permits",
        role=Role.ARBITER,
        done="Revoked",
        warning="The agent can no longer do the act with it. This can't be undone.",
        form=ReasonForm,
    )
    def revoke(self, request: HttpRequest, permit: Permit, *, reason: str | None) -> None:
        services.revoke_permit(permit_id=permit.pk, actor=actor_from_user(request), reason=reason)

    @action(
        "Record outcome", "Record the outcome of selected permits", role=Role.ARBITER, done="Outcome recorded", form=OutcomeForm
    )
    def record_outcome(self, request: HttpRequest, permit: Permit, *, outcome: str, note: str | None) -> None:
        services.record_outcome(permit_id=permit.pk, actor=actor_from_user(request), outcome=outcome, note=note)
