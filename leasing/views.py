"""Endpoints of leases (RFC-0003)."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import get_actor
from access.models import Role
from core.api.filters import filter_queryset
from core.api.pagination import KeysetPagination
from core.api.serializers import validate_body
from core.api.views import ApiViewSet
from core.openapi import document_action, document_create, document_destroy, document_list
from intents.models import Intent
from leasing import services
from leasing.filters import IntentLeaseFilter, LeaseFilter
from leasing.models import Lease
from leasing.representation import lease_body
from leasing.serializers import AcquireLease, LeaseOut, RenewLease, RevokeLease

BY_ID = KeysetPagination("id")


class LeaseViewSet(ApiViewSet):
    tags = ["Leases"]

    @document_create("acquire_lease", "Acquire a lease on a scope of an intent", AcquireLease, LeaseOut, may_exist=True)
    def acquire(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(AcquireLease, request)
        actor = get_actor(request, values.pop("agent_id", None))
        lease, is_new = services.acquire_lease(intent_id=intent_id, actor=actor, **values)
        return Response(lease_body(lease), status=201 if is_new else 200)

    @document_list("get_leases", "List the leases of an intent", LeaseOut, "leases", filterset=IntentLeaseFilter)
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        leases = Lease.objects.filter(intent_id=Intent.objects.require(intent_id))
        return self._respond(IntentLeaseFilter, leases, request)

    @document_list("list_leases", "List the leases of all intents", LeaseOut, "leases", filterset=LeaseFilter)
    def list_all(self, request: Request) -> Response:
        return self._respond(LeaseFilter, Lease.objects.all(), request)

    @document_action("renew_lease", "Renew a lease", RenewLease, LeaseOut)
    def renew(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        values = validate_body(RenewLease, request)
        actor = get_actor(request, values.pop("agent_id", None))
        lease = services.renew_lease(intent_id=intent_id, lease_id=lease_id, actor=actor, **values)
        return Response(lease_body(lease))

    @document_destroy("release_lease", "Release a lease")
    def release(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        services.release_lease(intent_id=intent_id, lease_id=lease_id, actor=get_actor(request))
        return Response(status=204)

    @staticmethod
    def _respond(filterset: type[IntentLeaseFilter], leases: QuerySet[Lease], request: Request) -> Response:
        found = filter_queryset(filterset, leases, request, [])
        services.expire_overdue(leases)
        return Response(BY_ID.paginate_queryset(found, request).body("leases", lease_body))


class RevocationViewSet(ApiViewSet):
    role = Role.ARBITER
    tags = ["Leases"]

    @document_action("revoke_lease", "Revoke a lease of another agent", RevokeLease, LeaseOut)
    def revoke(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        reason = validate_body(RevokeLease, request).get("reason")
        lease = services.revoke_lease(intent_id=intent_id, lease_id=lease_id, actor=get_actor(request), reason=reason)
        return Response(lease_body(lease))
