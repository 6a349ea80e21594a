"""Delegations: listed, created and revoked."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from access.models import Role
from access.roles import actor_from_user, has_role, role_of
from console.actions import action
from console.admin_mixins import OperatorPages, form_page
from console.changelist import ListAdmin
from console.delegations import pages
from console.delegations.forms import CreateDelegationForm
from console.filters import choice_filter
from core.db import database_now
from governance import services
from governance.guards import is_same_caller
from governance.models import Delegation


def state_filter(state: str, now: Any) -> Q:
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    return live if state == "live" else ~live


@admin.register(Delegation)
class DelegationAdmin(OperatorPages, ListAdmin):
    list_display = ["delegate"]
    list_filter = [choice_filter("state", "state", [("live", "Active"), ("ended", "Ended")], state_filter, default="live")]
    search_fields = ["delegate", "delegator"]
    search_label = "Search by delegate or delegator"
    ordering = ["-created_at"]
    actions = ["revoke"]
    list_template = "console/delegations/list_rows.html"
    detail_template = "console/delegations/detail.html"
    list_event_types = event_types = "delegation_granted delegation_revoked decision_recorded"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(request, Role.ARBITER)

    def list_context(self, request: HttpRequest, found: list[Delegation]) -> dict[str, Any]:
        may_revoke = has_role(request, Role.ARBITER)
        return {
            "rows": pages.list_rows(found, database_now()),
            "may_create": may_revoke,
            "may_revoke": may_revoke and any(each.revoked_at is None for each in found),
        }

    def detail_context(self, request: HttpRequest, obj: Delegation) -> dict[str, Any]:
        return pages.delegation_detail(obj, database_now())

    def is_offered(self, request: HttpRequest, name: str, obj: Delegation) -> bool:
        is_theirs = (
            is_same_caller(actor_from_user(request), obj.delegator, obj.principal)
            or (role_of(request.user) or Role.OBSERVER) == Role.OPERATOR
        )
        return is_theirs and pages.delegation_state(obj, database_now()) == "live"

    @action(
        "Delegate", role=Role.ARBITER, form=CreateDelegationForm, page=form_page("console/delegations/create.html", "Delegate")
    )
    def create(self, request: HttpRequest, _: None, *, scope: dict[str, Any], **given: Any) -> HttpResponse:
        made = services.create_delegation(actor=actor_from_user(request), **given, **scope)
        messages.success(request, f"The delegation to {made.delegate} holds from now on.")
        return redirect("admin:governance_delegation_change", made.pk)

    @action(
        "Revoke",
        "Revoke selected delegations",
        role=Role.ARBITER,
        done="Revoked",
        warning="The delegate can no longer decide. This can't be undone.",
    )
    def revoke(self, request: HttpRequest, delegation: Delegation) -> None:
        services.revoke_delegation(delegation_id=delegation.pk, actor=actor_from_user(request))
