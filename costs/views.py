"""Endpoints of costs and their summaries (RFC-0009)."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import get_actor
from core.api.filters import filter_queryset
from core.api.pagination import Keyset
from core.api.serializers import reject_unknown_parameters, validate_body
from core.api.views import ApiViewSet
from core.db import sql_rows
from core.errors import Invalid
from core.openapi import document_create, document_list, document_retrieve
from costs import services, summaries
from costs.filters import CostFilter
from costs.models import Cost
from costs.representation import cost_body
from costs.serializers import CostOut, CostPage, CostSummaryOut, RecordCost
from intents.models import Intent
from portfolios.models import Membership, Portfolio

BY_ID = Keyset("id")
TREE = "tree"

_with_summary = extend_schema(responses={200: CostPage})
_rollup = extend_schema(
    parameters=[OpenApiParameter("rollup", enum=[TREE], description="`tree` includes all descendants, each once.")]
)


class CostViewSet(ApiViewSet):
    tags = ["Costs"]

    @document_create("record_cost", "Record a cost of an intent", RecordCost, CostOut)
    def record(self, request: Request, intent_id: UUID | str) -> Response:
        values = validate_body(RecordCost, request)
        actor = get_actor(request, values.pop("agent_id", None))
        return Response(cost_body(services.record_cost(intent_id=intent_id, actor=actor, **values)), status=201)

    @_with_summary
    @document_list("get_costs", "List the costs of an intent, with their summary", CostOut, "costs", filterset=CostFilter)
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        pk = Intent.objects.require(intent_id)
        return self._respond(Cost.objects.filter(intent_id=pk), request, lambda: summaries.summarize_intent(pk))

    @_rollup
    @document_retrieve("get_cost_summary", "Get the cost summary of an intent", CostSummaryOut)
    def summary(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, ["rollup"])
        rollup = request.query_params.get("rollup")
        if rollup not in (None, TREE):
            raise Invalid.field("rollup", f"must be {TREE} or absent")
        pk = Intent.objects.require(intent_id)
        return Response(summaries.summarize_tree(pk) if rollup else summaries.summarize_intent(pk))

    @_with_summary
    @document_list(
        "get_portfolio_costs",
        "List the costs of a portfolio's members, with their summary",
        CostOut,
        "costs",
        filterset=CostFilter,
    )
    def list_of_portfolio(self, request: Request, portfolio_id: UUID | str) -> Response:
        pk = Portfolio.objects.require(portfolio_id)
        members = Membership.objects.filter(portfolio_id=pk).values("intent_id")
        return self._respond(Cost.objects.filter(intent_id__in=members), request, lambda: summaries.summarize_portfolio(pk))

    @staticmethod
    def _respond(costs: QuerySet[Cost], request: Request, summary: Any) -> Response:
        found = BY_ID.paginate_queryset(filter_queryset(CostFilter, costs, request, []), request, fetch=sql_rows.fetch_within)
        return Response({**found.body("costs", cost_body), "summary": summary()})
