"""Endpoints of leases (RFC-0003)."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from access.models import Role
from core.api.responses import Response
from core.api.views import ApiViewSet
from core.openapi import existing_or_created, operation
from intents.models import Intent
from leasing import services
from leasing.filters import IntentLeaseFilter, LeaseFilter
from leasing.models import Lease
from leasing.representation import LeaseOut, LeasePlaceOut
from leasing.serializers import AcquireLease, RenewLease, RevokeLease


class _Leases(ApiViewSet):
    tags = ["Leases"]
    serializer_class = LeaseOut
    list_name = "leases"

    def filter_queryset(self, queryset: Any) -> Any:
        """Filter by the parameters. Overdue leases are first marked expired."""
        found = super().filter_queryset(queryset)
        services.expire_overdue(queryset)
        return found


class LeaseListViewSet(_Leases):
    filterset_class = LeaseFilter

    @operation("list_leases", "List the leases of all intents")
    def list(self, request: Request) -> Response:
        """Oldest first, including ended ones; `status=active` for active ones."""
        return self.respond_list(Lease.objects.all())


class LeaseViewSet(_Leases):
    filterset_class = IntentLeaseFilter
    lookup_url_kwarg = "lease_id"

    @operation(
        "acquire_lease", "Acquire a lease on a scope of an intent", request=AcquireLease, responses=existing_or_created(LeaseOut)
    )
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """A scope and all that overlaps it have one holder. The holder of exactly this scope gets its lease again."""
        values = self.validated(AcquireLease)
        actor = get_actor(request, values.pop("agent_id", None))
        lease, is_new = services.acquire_lease(intent_id=intent_id, actor=actor, **values)
        return self.respond(lease, status=201 if is_new else 200)

    @operation("get_leases", "List the leases of an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first, including ended ones; `status=active` for active ones."""
        return self.respond_list(Lease.objects.filter(intent_id=Intent.objects.require(intent_id)))

    @operation("renew_lease", "Renew a lease", request=RenewLease)
    def partial_update(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        """The new duration starts now. An expired lease cannot be renewed."""
        values = self.validated(RenewLease)
        actor = get_actor(request, values.pop("agent_id", None))
        return self.respond(services.renew_lease(intent_id=intent_id, lease_id=lease_id, actor=actor, **values))

    @operation("release_lease", "Release a lease")
    def destroy(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        """For the holder. Idempotent."""
        services.release_lease(intent_id=intent_id, lease_id=lease_id, actor=get_actor(request))
        return Response(status=204)

    @operation("revoke_lease", "Revoke a lease of another agent", request=RevokeLease)
    @action(detail=True, methods=["post"], role=Role.ARBITER)
    def revoke(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        """For arbiters and operators. The holder's next write with the fencing token of the lease fails."""
        reason = self.validated(RevokeLease).get("reason")
        return self.respond(
            services.revoke_lease(intent_id=intent_id, lease_id=lease_id, actor=get_actor(request), reason=reason)
        )


class LeaseQueueViewSet(ApiViewSet):
    tags = ["Leases"]
    serializer_class = LeasePlaceOut
    lookup_url_kwarg = "place_id"

    @operation("join_lease_queue", "Wait for a lease in a queue", request=AcquireLease, responses={200: LeasePlaceOut})
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """Take a place in the queue for a scope that others hold; ask again every second, with the same body, until `lease` is there.

        A scope that ends is handed over to the first that waits for it, before anybody else can acquire it. Who has not asked
        for 5 seconds loses the place.
        """
        values = self.validated(AcquireLease)
        actor = get_actor(request, values.pop("agent_id", None))
        return self.respond(services.join_queue(intent_id=intent_id, actor=actor, **values))

    @operation("leave_lease_queue", "Give up a place in the queue for a lease")
    def destroy(self, request: Request, intent_id: UUID | str, place_id: UUID | str) -> Response:
        """And a lease that was granted for it meanwhile. Idempotent."""
        services.leave_queue(intent_id=intent_id, place_id=place_id, actor=get_actor(request))
        return Response(status=204)
