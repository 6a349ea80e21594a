from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from config.db import clock
from console.admin import ReadOnlyAdmin, acting_person
from leasing import services
from leasing.models import Lease
from leasing.wire import lease_body


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ["scope", "agent_id", "intent", "state", "fencing_token", "acquired_at", "expires_at"]
    list_filter = ["status"]
    search_fields = ["=agent_id", "scope"]
    list_select_related = ["intent"]
    ordering = ["-acquired_at"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("leasing.change_lease")

    @admin.display(description="state")
    def state(self, lease: Lease) -> str:
        return str(lease_body(lease, clock())["status"])

    @admin.action(description="Revoke the selected leases", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Lease]) -> None:
        for lease in queryset:
            services.revoke_lease(
                intent_id=lease.intent_id, lease_id=lease.pk, actor=acting_person(request), reason="revoked in the console"
            )
        messages.success(request, f"Revoked: {', '.join(map(str, queryset))}.")
