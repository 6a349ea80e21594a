from datetime import datetime

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from access.models import Role
from access.people import actor_of
from config.db import clock
from console.actions import action
from console.admin import ReadOnlyAdmin
from console.filters import by
from console.home import SOON
from leasing import services
from leasing.models import Lease, Status, as_of
from leasing.wire import lease_body


def _ends(_: str, now: datetime) -> Q:
    return as_of(Status.ACTIVE, now) & Q(expires_at__lte=now + SOON)


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ["scope", "agent_id", "intent", "state", "fencing_token", "acquired_at", "expires_at"]
    list_filter = [by("state", "state", Status.choices, as_of), by("ends", "ends", [("soon", "Within five minutes")], _ends)]
    search_fields = ["=agent_id", "scope"]
    list_select_related = ["intent"]
    ordering = ["-acquired_at"]
    actions = ["revoke"]

    @admin.display(description="state")
    def state(self, lease: Lease) -> str:
        return str(lease_body(lease, clock())["status"])

    def offers(self, request: HttpRequest, name: str, obj: Lease) -> bool:
        return self.state(obj) == Status.ACTIVE

    @action(
        "Revoke the selected leases",
        least=Role.ARBITER,
        done="Revoked",
        warning="The holder loses the lease at once: its next write with the lease's token is refused.",
        asks_reason=True,
    )
    def revoke(self, request: HttpRequest, lease: Lease, reason: str | None) -> None:
        services.revoke_lease(intent_id=lease.intent_id, lease_id=lease.pk, actor=actor_of(request), reason=reason)
