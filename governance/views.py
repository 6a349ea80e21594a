from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import actor_of, caller_of
from core.api.filters import narrow
from core.api.pagination import PARAMETERS, Keyset, page, whole_number
from core.api.serializers import check_parameters, parse
from core.api.views import ApiViewSet
from core.openapi import changed, created, deleted, listed
from governance import services
from governance.errors import ArbitrationNotFound
from governance.filters import ArbitrationFilter, DelegationFilter
from governance.models import Arbitration, Decision, Delegation, Status
from governance.representation import arbitration_body, decision_body, delegation_body
from governance.serializers import (
    ArbitrationOut,
    CreateDelegation,
    DecisionOut,
    DelegationOut,
    RecordDecision,
    RequestArbitration,
    WithdrawArbitration,
)
from intents.models import Intent

BY_ID = Keyset("id")
LONGEST_WAIT = 60  # Seconds.

_WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT},
    description="Answer once it is no longer pending, or after so many seconds.",
)


class ArbitrationViewSet(ApiViewSet):
    tags = ["Governance"]

    @created("request_arbitration", "Request an arbitration", RequestArbitration, ArbitrationOut)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(RequestArbitration, request)
        actor = actor_of(request, values.pop("requested_by", None))
        arbitration = services.request_arbitration(intent_id=intent_id, actor=actor, **values)
        return Response(arbitration_body(arbitration), status=201)

    @listed("get_arbitrations", "List the arbitrations of an intent", ArbitrationOut, "arbitrations", filterset=ArbitrationFilter)
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        return self._answer(Arbitration.objects.filter(intent_id=Intent.objects.require(intent_id)), request)

    @listed(
        "list_arbitrations", "List the arbitrations of all intents", ArbitrationOut, "arbitrations", filterset=ArbitrationFilter
    )
    def list_all(self, request: Request) -> Response:
        return self._answer(Arbitration.objects.all(), request)

    @extend_schema(
        operation_id="get_arbitration", summary="Get an arbitration", parameters=[_WAIT], responses={200: ArbitrationOut}
    )
    def retrieve(self, request: Request, arbitration_id: UUID | str) -> Response:
        """As it is at this moment: governance.long_polling does the waiting, outside of Django."""
        check_parameters(request, ["wait"])
        whole_number(request, "wait", 0, 0, LONGEST_WAIT)
        if not isinstance(arbitration_id, UUID):
            raise ArbitrationNotFound(arbitration_id)
        asked = Arbitration.objects.filter(pk=arbitration_id)
        found = asked.select_related("decision").first()
        if found and found.status == Status.PENDING and found.expires_at:
            services.expire_overdue(asked)
            found = asked.select_related("decision").first()
        if found is None:
            raise ArbitrationNotFound(arbitration_id)
        return Response(arbitration_body(found))

    @changed("withdraw_arbitration", "Withdraw an arbitration", WithdrawArbitration, ArbitrationOut)
    def withdraw(self, request: Request, arbitration_id: UUID | str) -> Response:
        values = parse(WithdrawArbitration, request)
        actor, role = actor_of(request, values.pop("actor", None)), caller_of(request).role
        arbitration = services.withdraw_arbitration(arbitration_id=arbitration_id, actor=actor, role=role, **values)
        return Response(arbitration_body(arbitration))

    @staticmethod
    def _answer(arbitrations: QuerySet[Arbitration], request: Request) -> Response:
        found = narrow(ArbitrationFilter, arbitrations.select_related("decision"), request, [])
        services.expire_overdue(arbitrations)
        return Response(page(found, request, BY_ID).body("arbitrations", arbitration_body))


class DecisionViewSet(ApiViewSet):
    tags = ["Governance"]

    @created("record_decision", "Record a decision", RecordDecision, DecisionOut)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        values = parse(RecordDecision, request)
        actor, role = actor_of(request, values.pop("decided_by", None)), caller_of(request).role
        decision = services.record_decision(intent_id=intent_id, actor=actor, role=role, **values)
        return Response(decision_body(decision), status=201)

    @listed("get_decisions", "List the decisions on an intent", DecisionOut, "decisions")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        check_parameters(request, PARAMETERS)
        decisions = Decision.objects.filter(intent_id=Intent.objects.require(intent_id))
        return Response(page(decisions, request, BY_ID).body("decisions", decision_body))


class DelegationViewSet(ApiViewSet):
    tags = ["Governance"]

    @created("create_delegation", "Delegate to an agent", CreateDelegation, DelegationOut)
    def create(self, request: Request) -> Response:
        values = parse(CreateDelegation, request)
        actor, role = actor_of(request, values.pop("actor", None)), caller_of(request).role
        scope = values.pop("scope", {})
        delegation = services.create_delegation(actor=actor, role=role, **values, **scope)
        return Response(delegation_body(delegation), status=201)

    @listed("list_delegations", "List delegations", DelegationOut, "delegations", filterset=DelegationFilter)
    def list(self, request: Request) -> Response:
        found = narrow(DelegationFilter, Delegation.objects.all(), request, [])
        return Response(page(found, request, BY_ID).body("delegations", delegation_body))

    @deleted("revoke_delegation", "Revoke a delegation")
    def revoke(self, request: Request, delegation_id: UUID | str) -> Response:
        services.revoke_delegation(delegation_id=delegation_id, actor=actor_of(request), role=caller_of(request).role)
        return Response(status=204)
