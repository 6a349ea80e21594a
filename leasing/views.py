from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import actor_of
from access.models import Role
from core.api.filters import narrow
from core.api.pagination import Keyset, page
from core.api.serializers import parse
from core.api.views import ApiViewSet
from core.openapi import changed, created, deleted, listed
from intents.models import Intent
from leasing import services
from leasing.filters import IntentLeaseFilter, LeaseFilter
from leasing.models import Lease
from leasing.representation import lease_body
from leasing.serializers import AcquireLease, LeaseOut, RenewLease, RevokeLease

BY_ID = Keyset("id")


class LeaseViewSet(ApiViewSet):
    tags = ["Leases"]

    @created("acquire_lease", "Acquire a lease on a part of an intent", AcquireLease, LeaseOut, may_exist=True)
    def acquire(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(AcquireLease, request)
        actor = actor_of(request, values.pop("agent_id", None))
        lease, is_new = services.acquire_lease(intent_id=intent_id, actor=actor, **values)
        return Response(lease_body(lease), status=201 if is_new else 200)

    @listed("get_leases", "List the leases of an intent", LeaseOut, "leases", filterset=IntentLeaseFilter)
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        leases = Lease.objects.filter(intent_id=Intent.objects.require(intent_id))
        return self._answer(IntentLeaseFilter, leases, request)

    @listed("list_leases", "List the leases of all intents", LeaseOut, "leases", filterset=LeaseFilter)
    def list_all(self, request: Request) -> Response:
        return self._answer(LeaseFilter, Lease.objects.all(), request)

    @changed("renew_lease", "Renew a lease", RenewLease, LeaseOut)
    def renew(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        values = parse(RenewLease, request)
        actor = actor_of(request, values.pop("agent_id", None))
        lease = services.renew_lease(intent_id=intent_id, lease_id=lease_id, actor=actor, **values)
        return Response(lease_body(lease))

    @deleted("release_lease", "Release a lease")
    def release(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        services.release_lease(intent_id=intent_id, lease_id=lease_id, actor=actor_of(request))
        return Response(status=204)

    @staticmethod
    def _answer(filterset: type[IntentLeaseFilter], leases: QuerySet[Lease], request: Request) -> Response:
        found = narrow(filterset, leases, request, [])
        services.expire_overdue(leases)
        return Response(page(found, request, BY_ID).body("leases", lease_body))


class RevocationViewSet(ApiViewSet):
    role = Role.ARBITER
    tags = ["Leases"]

    @changed("revoke_lease", "Take a lease from its holder", RevokeLease, LeaseOut)
    def revoke(self, request: Request, intent_id: UUID | str, lease_id: UUID | str) -> Response:
        reason = parse(RevokeLease, request).get("reason")
        lease = services.revoke_lease(intent_id=intent_id, lease_id=lease_id, actor=actor_of(request), reason=reason)
        return Response(lease_body(lease))
