"""Delegations: listed and revoked."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user, has_role, role_of
from console.actions import action
from console.changelist import ListAdmin
from console.delegations import pages
from console.filters import choice_filter
from core.db import database_now
from governance import services
from governance.guards import is_same_caller
from governance.models import Delegation


def state_filter(state: str, now: Any) -> Q:
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    return live if state == "live" else ~live


@admin.register(Delegation)
class DelegationAdmin(ListAdmin):
    list_display = ["delegate"]
    list_filter = [choice_filter("state", "state", [("live", "Active"), ("ended", "Ended")], state_filter, default="live")]
    search_fields = ["delegate", "delegator"]
    search_label = "Search by delegate or delegator"
    ordering = ["-created_at"]
    actions = ["revoke"]
    list_template = "console/delegations/list_rows.html"
    detail_template = "console/delegations/detail.html"
    list_event_types = event_types = "delegation_granted delegation_revoked decision_recorded"

    def list_context(self, request: HttpRequest, found: list[Delegation]) -> dict[str, Any]:
        may_revoke = has_role(request, Role.ARBITER)
        return {
            "rows": pages.list_rows(found, database_now()),
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
        "Revoke",
        "Revoke selected delegations",
        role=Role.ARBITER,
        done="Revoked",
        warning="The delegate can no longer decide. This can't be undone.",
    )
    def revoke(self, request: HttpRequest, delegation: Delegation) -> None:
        services.revoke_delegation(delegation_id=delegation.pk, actor=actor_from_user(request))
