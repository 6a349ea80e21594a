"""Endpoints of arbitrations, decisions, permits and delegations (RFC-0004)."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from core.api.pagination import integer_parameter
from core.api.responses import Response
from core.api.serializers import reject_unknown_parameters
from core.api.views import ApiViewSet
from core.openapi import operation
from governance import services
from governance.errors import ArbitrationNotFound, PermitNotFound
from governance.filters import ArbitrationFilter, DelegationFilter, PermitFilter
from governance.models import Arbitration, Decision, Delegation, Gate, Permit, Status
from governance.representation import ArbitrationOut, DecisionOut, DelegationOut, GateOut, PermitOut
from governance.serializers import (
    AssignArbitration,
    CreateArbitration,
    CreateDelegation,
    ProvideInformation,
    RecordDecision,
    RecordOutcome,
    RemindArbitration,
    RequestInformation,
    RevokePermit,
    SetGate,
    SpendPermit,
    WithdrawArbitration,
)
from intents.models import Intent

MAX_WAIT = 60  # Seconds.

_WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": MAX_WAIT},
    description="Long polling: respond once it is no longer pending, at the latest after this many seconds.",
)


class _Arbitrations(ApiViewSet):
    tags = ["Governance"]
    serializer_class = ArbitrationOut
    filterset_class = ArbitrationFilter
    list_name = "arbitrations"

    def filter_queryset(self, queryset: Any) -> Any:
        """Filter by the parameters. Overdue arbitrations are first marked expired."""
        found = super().filter_queryset(queryset.select_related("decision").prefetch_related("votes"))
        services.expire_overdue(queryset)
        return found


class ArbitrationViewSet(_Arbitrations):
    lookup_url_kwarg = "arbitration_id"

    @operation("list_arbitrations", "List the arbitrations of all intents")
    def list(self, request: Request) -> Response:
        """Use `status=pending` for arbitrations that wait for a decision."""
        return self.respond_list(Arbitration.objects.all())

    @operation("get_arbitration", "Get an arbitration", parameters=[_WAIT])
    def retrieve(self, request: Request, arbitration_id: UUID | str) -> Response:
        """With `wait`, responds as soon as it is no longer pending, at the latest after that many seconds."""
        reject_unknown_parameters(request, ["wait"])
        integer_parameter(request, "wait", 0, 0, MAX_WAIT)  # governance.long_polling does the waiting, outside of Django.
        if not isinstance(arbitration_id, UUID):
            raise ArbitrationNotFound(arbitration_id)
        arbitrations = Arbitration.objects.filter(pk=arbitration_id)
        found = arbitrations.select_related("decision").first()
        if found and found.status == Status.PENDING and found.expires_at:
            services.expire_overdue(arbitrations)
            found = arbitrations.select_related("decision").first()
        if found is None:
            raise ArbitrationNotFound(arbitration_id)
        return self.respond(found)

    @operation("withdraw_arbitration", "Withdraw an arbitration", request=WithdrawArbitration)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, arbitration_id: UUID | str) -> Response:
        """For the requester, arbiters and operators. Idempotent."""
        values = self.validated(WithdrawArbitration)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.withdraw_arbitration(arbitration_id=arbitration_id, actor=actor, **values))

    @operation("remind_arbitration", "Send a reminder of an arbitration", request=RemindArbitration)
    @action(detail=True, methods=["post"])
    def remind(self, request: Request, arbitration_id: UUID | str) -> Response:
        """Tells its audience again, as far as the question has reached it. For the requester, arbiters and operators, once a minute."""
        actor = get_actor(request, self.validated(RemindArbitration).get("actor"))
        return self.respond(services.remind(arbitration_id=arbitration_id, actor=actor))

    @operation("assign_arbitration", "Assign an arbitration to a person", request=AssignArbitration)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, arbitration_id: UUID | str) -> Response:
        """The person looks after it, and hears of it; others may decide it all the same. For arbiters, operators and its audience. Idempotent."""
        values = self.validated(AssignArbitration)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.assign_arbitration(arbitration_id=arbitration_id, actor=actor, **values))

    @operation("request_information", "Ask the requester for more information", request=RequestInformation)
    @action(detail=True, methods=["post"], url_path="request-information")
    def request_information(self, request: Request, arbitration_id: UUID | str) -> Response:
        """Sends it back without deciding it: the agent gets the event `information_requested`. Its deadline stays. For those who may decide it, one question at a time."""
        values = self.validated(RequestInformation)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.request_information(arbitration_id=arbitration_id, actor=actor, **values))

    @operation("provide_information", "Provide the information that was asked for", request=ProvideInformation)
    @action(detail=True, methods=["post"])
    def information(self, request: Request, arbitration_id: UUID | str) -> Response:
        """On the same arbitration, the last question of `information` gets its answer. For the requester."""
        values = self.validated(ProvideInformation)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.provide_information(arbitration_id=arbitration_id, actor=actor, **values))


class IntentArbitrationViewSet(_Arbitrations):
    @operation("request_arbitration", "Request an arbitration", request=CreateArbitration, responses={201: ArbitrationOut})
    @action(detail=False, methods=["post"])
    def arbitrate(self, request: Request, intent_id: UUID | str) -> Response:
        """With `blocking` the intent is `blocked` until the decision, which restores its status. With `options` the decision must be one of their labels. After `expires_at` it can no longer be decided."""
        values = self.validated(CreateArbitration)
        actor = get_actor(request, values.pop("requested_by", None))
        return self.respond(services.request_arbitration(intent_id=intent_id, actor=actor, **values), status=201)

    @operation("get_arbitrations", "List the arbitrations of an intent", responses=ArbitrationOut(many=True))
    @action(detail=False)
    def arbitrations(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first. Overdue ones are first marked `expired`."""
        return self.respond_list(Arbitration.objects.filter(intent_id=Intent.objects.require(intent_id)))


class DecisionViewSet(ApiViewSet):
    tags = ["Governance"]
    serializer_class = DecisionOut
    list_name = "decisions"

    @operation(
        "record_decision",
        "Record a decision",
        request=RecordDecision,
        responses={201: DecisionOut, 202: OpenApiResponse(ArbitrationOut, "A vote was recorded; more are needed.")},
    )
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """Permanently decides the named arbitration, else the only pending one; if none is pending, the decision stands alone. For operators, for arbiters except on their own requests, and for agents with a delegation.

        With a quorum it is a vote: 202 with the arbitration, until the vote that completes it or refuses. A decision that grants an action makes its permit."""
        values = self.validated(RecordDecision)
        actor = get_actor(request, values.pop("decided_by", None))
        made = services.record_decision(intent_id=intent_id, actor=actor, **values)
        if isinstance(made, Decision):
            return self.respond(made, status=201)
        return Response(ArbitrationOut.render(made.arbitration), status=202)

    @operation("get_decisions", "List the decisions on an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first. Decisions are never changed or removed."""
        return self.respond_list(Decision.objects.filter(intent_id=Intent.objects.require(intent_id)))


class _Permits(ApiViewSet):
    tags = ["Governance"]
    serializer_class = PermitOut
    filterset_class = PermitFilter
    list_name = "permits"
    lookup_url_kwarg = "permit_id"


class IntentPermitViewSet(_Permits):
    @operation("get_permits", "List the permits of an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first. Those that have ended are first marked so."""
        found = Permit.objects.filter(intent_id=Intent.objects.require(intent_id))
        services.end_due_permits(found)
        return self.respond_list(found)


class PermitViewSet(_Permits):
    @operation("get_permit", "Get a permit")
    def retrieve(self, request: Request, permit_id: UUID | str) -> Response:
        """The outcome of one that was spent is `unknown` once nobody has recorded it in time."""
        found = Permit.objects.filter(pk=permit_id) if isinstance(permit_id, UUID) else Permit.objects.none()
        services.end_due_permits(found)
        permit = found.first()
        if permit is None:
            raise PermitNotFound(permit_id)
        return self.respond(permit)

    @operation("spend_permit", "Spend a permit", request=SpendPermit)
    @action(detail=True, methods=["post"])
    def spend(self, request: Request, permit_id: UUID | str) -> Response:
        """Do this immediately before the act. For the agent that asked, with the act as it is about to be done: it must be exactly what was approved, on the intent as it was then. It succeeds once."""
        values = self.validated(SpendPermit)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.spend_permit(permit_id=permit_id, actor=actor, **values))

    @operation("record_outcome", "Record the outcome of an act", request=RecordOutcome)
    @action(detail=True, methods=["post"])
    def outcome(self, request: Request, permit_id: UUID | str) -> Response:
        """Records what came of the act that the permit was spent on: once, and once more if it was `unknown`. `failed` means that the effect did not happen."""
        values = self.validated(RecordOutcome)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.record_outcome(permit_id=permit_id, actor=actor, **values))

    @operation("revoke_permit", "Revoke a permit", request=RevokePermit)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, permit_id: UUID | str) -> Response:
        """For the agent that asked, arbiters and operators, as long as it is live. Idempotent."""
        values = self.validated(RevokePermit)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.revoke_permit(permit_id=permit_id, actor=actor, **values))


class GateViewSet(ApiViewSet):
    tags = ["Governance"]
    serializer_class = GateOut
    list_name = "gates"
    lookup_url_kwarg = "gate_id"

    @operation("set_gate", "Set a gate", request=SetGate)
    def create(self, request: Request) -> Response:
        """For operators. From now on the operation, on this intent, on the portfolio and its members, or everywhere, needs a permit that `quorum` of the `deciders` have granted."""
        values = self.validated(SetGate)
        actor = get_actor(request, values.pop("actor", None))
        return self.respond(services.set_gate(actor=actor, **values), status=201)

    @operation("list_gates", "List the gates")
    def list(self, request: Request) -> Response:
        """Oldest first, without those that were removed."""
        return self.respond_list(Gate.objects.filter(removed_at=None))

    @operation("remove_gate", "Remove a gate")
    def destroy(self, request: Request, gate_id: UUID | str) -> Response:
        """For operators. Takes effect at once."""
        services.remove_gate(gate_id=gate_id, actor=get_actor(request))
        return Response(status=204)


class DelegationViewSet(ApiViewSet):
    tags = ["Governance"]
    serializer_class = DelegationOut
    filterset_class = DelegationFilter
    list_name = "delegations"
    lookup_url_kwarg = "delegation_id"

    @operation("create_delegation", "Delegate to an agent", request=CreateDelegation)
    def create(self, request: Request) -> Response:
        """For arbiters and operators. Allows an agent to decide (the action `decide`) within the scope; an empty list is no limit."""
        values = self.validated(CreateDelegation)
        actor = get_actor(request, values.pop("actor", None))
        scope = values.pop("scope", {})
        return self.respond(services.create_delegation(actor=actor, **values, **scope), status=201)

    @operation("list_delegations", "List delegations")
    def list(self, request: Request) -> Response:
        """Including ended ones, by `revoked_at` and `expires_at`."""
        return self.respond_list(Delegation.objects.all())

    @operation("revoke_delegation", "Revoke a delegation")
    def destroy(self, request: Request, delegation_id: UUID | str) -> Response:
        """For the delegator and operators. Takes effect at once."""
        services.revoke_delegation(delegation_id=delegation_id, actor=get_actor(request))
        return Response(status=204)
