"""Leases: the list, one lease, and revoking."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from access.models import Role
from access.roles import actor_from_user, has_role
from console.actions import Declined, ReasonForm, action
from console.changelist import ListAdmin
from console.dashboard import SOON
from console.event_text import display_name
from console.filters import choice_filter
from console.leases import pages
from core.db import database_now
from intents.models import Intent
from leasing import services
from leasing.models import Lease, Status


def state_filter(state: str, now: datetime) -> Q:
    active = Q(status=Status.ACTIVE)
    return {"active": active, "soon": active & Q(expires_at__lte=now + SOON)}.get(state, ~active)


_TABS = [("active", "Active"), ("soon", "Expiring soon"), ("ended", "Ended")]


@admin.register(Lease)
class LeaseAdmin(ListAdmin):
    list_display = ["scope"]
    list_filter = [choice_filter("state", "state", _TABS, state_filter, default="active")]
    search_fields = ["agent_id", "scope", "intent__title"]
    search_label = "Search by agent, scope or intent"
    actions = ["revoke"]
    list_template = "console/leases/list_rows.html"
    detail_template = "console/leases/detail.html"
    topic = ("intent", "intent_id")
    refresh_seconds = list_refresh_seconds = 30

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lease]:
        found = super().get_queryset(request).select_related("intent").defer("intent__state", "intent__constraints")
        if request.method == "GET":  # Before somebody reads them (rule E-8).
            services.expire_overdue(Lease.objects.all())
        is_running = request.GET.get("state", "active") in ("active", "soon")
        return found.order_by("expires_at", "pk") if is_running else found.order_by("-pk")

    def list_context(self, request: HttpRequest, found: list[Lease]) -> dict[str, Any]:
        shown = pages.list_rows(found, database_now())
        return {"rows": shown, "may_revoke": has_role(request, Role.ARBITER) and any(row["is_active"] for row in shown)}

    def tab_counts(self, request: HttpRequest, query: str) -> dict[str, int]:
        held, _ = self.get_search_results(request, Lease.objects.held(), query)
        return {"active": held.count(), "soon": held.filter(expires_at__lte=database_now() + SOON).count()}

    def detail_context(self, request: HttpRequest, obj: Lease) -> dict[str, Any]:
        return pages.lease_detail(obj, database_now())

    def is_offered(self, request: HttpRequest, name: str, obj: Lease) -> bool:
        return obj.status == Status.ACTIVE

    @action(
        "Revoke",
        "Revoke selected leases",
        role=Role.ARBITER,
        done="Revoked",
        warning="The holder loses the lease immediately: its next write with the fencing token is rejected.",
        form=ReasonForm,
    )
    def revoke(self, request: HttpRequest, lease: Lease, *, reason: str | None) -> None:
        Intent.objects.lock(lease.intent_id)  # The verb leaves one alone that has ended; here that has to be told.
        found = Lease.objects.get(pk=lease.pk)
        if found.status == Status.ACTIVE:
            found = services.revoke_lease(
                intent_id=lease.intent_id, lease_id=lease.pk, actor=actor_from_user(request), reason=reason
            )
            if found.status == Status.REVOKED:
                return
        ending = pages.lease_detail(found, database_now())["ending"] if found.status == Status.REVOKED else None
        end = f"revoked by {display_name(ending.actor)}" if ending else found.status
        raise Declined(f"already {end}. Nothing was changed.")
