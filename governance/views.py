"""Endpoints of arbitrations, decisions and delegations (RFC-0004)."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import get_actor
from core.api.filters import filter_queryset
from core.api.pagination import PAGINATION_PARAMETERS, Keyset, integer_parameter
from core.api.serializers import reject_unknown_parameters, validate_body
from core.api.views import ApiViewSet
from core.openapi import document_action, document_create, document_destroy, document_list
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
MAX_WAIT = 60  # Seconds.

_WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": MAX_WAIT},
    description="Long polling: respond once it is no longer pending, at the latest after this many seconds.",
)


class ArbitrationViewSet(ApiViewSet):
    tags = ["Governance"]

    @document_create("request_arbitration", "Request an arbitration", RequestArbitration, ArbitrationOut)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(RequestArbitration, request)
        actor = get_actor(request, values.pop("requested_by", None))
        arbitration = services.request_arbitration(intent_id=intent_id, actor=actor, **values)
        return Response(arbitration_body(arbitration), status=201)

    @document_list(
        "get_arbitrations", "List the arbitrations of an intent", ArbitrationOut, "arbitrations", filterset=ArbitrationFilter
    )
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        return self._respond(Arbitration.objects.filter(intent_id=Intent.objects.require(intent_id)), request)

    @document_list(
        "list_arbitrations", "List the arbitrations of all intents", ArbitrationOut, "arbitrations", filterset=ArbitrationFilter
    )
    def list_all(self, request: Request) -> Response:
        return self._respond(Arbitration.objects.all(), request)

    @extend_schema(
        operation_id="get_arbitration", summary="Get an arbitration", parameters=[_WAIT], responses={200: ArbitrationOut}
    )
    def retrieve(self, request: Request, arbitration_id: UUID | str) -> Response:
        """Return the current state; governance.long_polling does the waiting, outside of Django."""
        reject_unknown_parameters(request, ["wait"])
        integer_parameter(request, "wait", 0, 0, MAX_WAIT)
        if not isinstance(arbitration_id, UUID):
            raise ArbitrationNotFound(arbitration_id)
        arbitrations = Arbitration.objects.filter(pk=arbitration_id)
        found = arbitrations.select_related("decision").first()
        if found and found.status == Status.PENDING and found.expires_at:
            services.expire_overdue(arbitrations)
            found = arbitrations.select_related("decision").first()
        if found is None:
            raise ArbitrationNotFound(arbitration_id)
        return Response(arbitration_body(found))

    @document_action("withdraw_arbitration", "Withdraw an arbitration", WithdrawArbitration, ArbitrationOut)
    def withdraw(self, request: Request, arbitration_id: UUID | str) -> Response:
        values = validate_body(WithdrawArbitration, request)
        actor = get_actor(request, values.pop("actor", None))
        arbitration = services.withdraw_arbitration(arbitration_id=arbitration_id, actor=actor, **values)
        return Response(arbitration_body(arbitration))

    @staticmethod
    def _respond(arbitrations: QuerySet[Arbitration], request: Request) -> Response:
        found = filter_queryset(ArbitrationFilter, arbitrations.select_related("decision"), request, [])
        services.expire_overdue(arbitrations)
        return Response(BY_ID.paginate_queryset(found, request).body("arbitrations", arbitration_body))


class DecisionViewSet(ApiViewSet):
    tags = ["Governance"]

    @document_create("record_decision", "Record a decision", RecordDecision, DecisionOut)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(RecordDecision, request)
        actor = get_actor(request, values.pop("decided_by", None))
        decision = services.record_decision(intent_id=intent_id, actor=actor, **values)
        return Response(decision_body(decision), status=201)

    @document_list("get_decisions", "List the decisions on an intent", DecisionOut, "decisions")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        decisions = Decision.objects.filter(intent_id=Intent.objects.require(intent_id))
        return Response(BY_ID.paginate_queryset(decisions, request).body("decisions", decision_body))


class DelegationViewSet(ApiViewSet):
    tags = ["Governance"]

    @document_create("create_delegation", "Delegate to an agent", CreateDelegation, DelegationOut)
    def create(self, request: Request) -> Response:
        values = validate_body(CreateDelegation, request)
        actor = get_actor(request, values.pop("actor", None))
        scope = values.pop("scope", {})
        delegation = services.create_delegation(actor=actor, **values, **scope)
        return Response(delegation_body(delegation), status=201)

    @document_list("list_delegations", "List delegations", DelegationOut, "delegations", filterset=DelegationFilter)
    def list(self, request: Request) -> Response:
        found = filter_queryset(DelegationFilter, Delegation.objects.all(), request, [])
        return Response(BY_ID.paginate_queryset(found, request).body("delegations", delegation_body))

    @document_destroy("revoke_delegation", "Revoke a delegation")
    def revoke(self, request: Request, delegation_id: UUID | str) -> Response:
        services.revoke_delegation(delegation_id=delegation_id, actor=get_actor(request))
        return Response(status=204)
