"""Arbitrations, decisions and delegations in the console: what is pending can be decided there."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from access.models import Role
from access.people import actor_of, may, role_of
from config.db import clock
from config.errors import ProtocolError
from console.actions import action
from console.admin import ReadOnlyAdmin
from console.filters import by
from governance import services
from governance.models import Arbitration, Decision, Delegation, Status, as_of
from governance.serializers import MAX_TEXT
from governance.wire import status_at


class DecideForm(forms.Form):
    """What a person decides: one of the options, where there are any."""

    decision = forms.CharField(max_length=MAX_TEXT, widget=UnfoldAdminTextInputWidget)
    rationale = forms.CharField(max_length=MAX_TEXT, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    def __init__(self, arbitration: Arbitration, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if labels := [option["label"] for option in arbitration.options]:
            choices = [(label, label) for label in labels]
            self.fields["decision"] = forms.ChoiceField(choices=choices, widget=UnfoldAdminRadioSelectWidget)


@admin.register(Arbitration)
class ArbitrationAdmin(ReadOnlyAdmin):
    list_display = ["reason", "state", "requester_id", "intent", "blocking", "created_at", "expires_at"]
    list_filter = [by("state", "state", Status.choices, as_of), "blocking"]
    search_fields = ["=requester_id", "reason"]
    list_select_related = ["intent"]
    ordering = ["-created_at"]
    actions = ["withdraw"]
    object_template = "governance/decide.html"

    @admin.display(description="state")
    def state(self, arbitration: Arbitration) -> str:
        return status_at(arbitration, clock())

    def offers(self, request: HttpRequest, name: str, obj: Arbitration) -> bool:
        return self.state(obj) == Status.PENDING

    @action(
        "Withdraw the selected arbitrations",
        least=Role.ARBITER,
        done="Withdrawn",
        warning="Whoever asked gets no answer. A blocked intent goes back to where it was. This cannot be undone.",
        asks_reason=True,
    )
    def withdraw(self, request: HttpRequest, arbitration: Arbitration, reason: str | None) -> None:
        services.withdraw_arbitration(arbitration_id=arbitration.pk, actor=actor_of(request), role=_role(request), reason=reason)

    def get_urls(self) -> list[Any]:
        decide = path("<uuid:object_id>/decide/", self.admin_site.admin_view(self.decide), name="governance_arbitration_decide")
        return [decide, *super().get_urls()]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        arbitration = self.get_object(request, object_id)
        context = dict(kwargs.pop("extra_context", None) or {})
        if arbitration and may(request, Role.ARBITER) and self.state(arbitration) == Status.PENDING:
            context["decide_form"] = DecideForm(arbitration)
        return super().change_view(request, object_id, *args, extra_context=context, **kwargs)

    @method_decorator(require_POST)
    def decide(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        if not may(request, Role.ARBITER):
            raise PermissionDenied
        arbitration = get_object_or_404(Arbitration, pk=object_id)
        form = DecideForm(arbitration, request.POST)
        if form.is_valid():
            self._decide(request, arbitration, **form.cleaned_data)
        for name, errors in form.errors.items():
            messages.error(request, f"{name}: {' '.join(map(str, errors))}")
        return redirect("admin:governance_arbitration_change", object_id)

    @staticmethod
    def _decide(request: HttpRequest, arbitration: Arbitration, decision: str, rationale: str) -> None:
        try:
            services.record_decision(
                intent_id=arbitration.intent_id,
                arbitration_id=arbitration.pk,
                actor=actor_of(request),
                role=_role(request),
                decision=decision,
                rationale=rationale or None,
            )
        except ProtocolError as refusal:
            messages.error(request, refusal.detail)
        else:
            messages.success(request, f"Decided: {decision[:100]}.")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["decision", "decision_type", "decided_by", "intent", "arbitration", "created_at"]
    search_fields = ["=decided_by", "decision"]
    list_select_related = ["intent", "arbitration"]
    ordering = ["-created_at"]


@admin.register(Delegation)
class DelegationAdmin(ReadOnlyAdmin):
    list_display = ["delegate", "delegator", "state", "expires_at", "revoked_at", "created_at"]
    search_fields = ["=delegate", "=delegator"]
    ordering = ["-created_at"]
    actions = ["revoke"]

    @admin.display(description="state")
    def state(self, delegation: Delegation) -> str:
        if delegation.revoked_at:
            return "revoked"
        return "expired" if delegation.expires_at and delegation.expires_at <= clock() else "live"

    def offers(self, request: HttpRequest, name: str, obj: Delegation) -> bool:
        return obj.revoked_at is None

    @action(
        "Revoke the selected delegations",
        least=Role.ARBITER,
        done="Revoked",
        warning="The delegate may decide nothing more, from now on. This cannot be undone.",
    )
    def revoke(self, request: HttpRequest, delegation: Delegation) -> None:
        services.revoke_delegation(delegation_id=delegation.pk, actor=actor_of(request), role=_role(request))


def _role(request: HttpRequest) -> Role:
    """Of whoever passed the check of an action."""
    return role_of(request.user) or Role.OBSERVER
