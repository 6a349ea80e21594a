"""Endpoints of costs and their summaries (RFC-0009)."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from core.api.pagination import RowPagination
from core.api.responses import Response
from core.api.serializers import reject_unknown_parameters
from core.api.views import ApiViewSet
from core.errors import Invalid
from core.openapi import operation
from costs import rollups, services, summaries
from costs.filters import CostFilter
from costs.models import Cost, CostTotal
from costs.representation import CostOut, CostPage, CostSummaryOut
from costs.serializers import RecordCost
from intents.models import Intent
from portfolios.models import Membership, Portfolio

TREE = "tree"

_ROLLUP = OpenApiParameter("rollup", enum=[TREE], description="`tree` includes all descendants, each once.")


class _Costs(ApiViewSet):
    tags = ["Costs"]
    serializer_class = CostOut
    filterset_class = CostFilter
    pagination_class = RowPagination
    list_name = "costs"

    def respond_with_summary(self, costs: QuerySet[Cost], totals: QuerySet[CostTotal]) -> Response:
        return self.respond_list(costs, summary=summaries.summarize(totals))


class CostViewSet(_Costs):
    @operation("record_cost", "Record a cost of an intent", request=RecordCost)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """Also recorded above a budget and on a final intent, since it is already spent. `USD` and `cents` are money."""
        values = self.validated(RecordCost)
        actor = get_actor(request, values.pop("agent_id", None))
        return self.respond(services.record_cost(intent_id=intent_id, actor=actor, **values), status=201)

    @operation("get_costs", "List the costs of an intent, with their summary", responses=CostPage)
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first, with the summary of all costs on every page."""
        pk = Intent.objects.require(intent_id)
        return self.respond_with_summary(Cost.objects.filter(intent_id=pk), CostTotal.objects.filter(intent_id=pk))

    @operation("get_cost_summary", "Get the cost summary of an intent", responses=CostSummaryOut, parameters=[_ROLLUP])
    @action(detail=False)
    def summary(self, request: Request, intent_id: UUID | str) -> Response:
        """Money is summed in USD, and is what `total` and the breakdowns show if there is any. Different units are never added."""
        reject_unknown_parameters(request, ["rollup"])
        rollup = request.query_params.get("rollup")
        if rollup not in (None, TREE):
            raise Invalid.field("rollup", f"must be {TREE} or absent")
        pk = Intent.objects.require(intent_id)
        totals = rollups.tree_totals(pk) if rollup else CostTotal.objects.filter(intent_id=pk)
        return Response(summaries.summarize(totals))


class PortfolioCostViewSet(_Costs):
    @operation("get_portfolio_costs", "List the costs of a portfolio's members, with their summary", responses=CostPage)
    def list(self, request: Request, portfolio_id: UUID | str) -> Response:
        """Each member once; descendants of members count only if they are members as well."""
        pk = Portfolio.objects.require(portfolio_id)
        members = Membership.objects.filter(portfolio_id=pk).values("intent_id")
        return self.respond_with_summary(Cost.objects.filter(intent_id__in=members), rollups.portfolio_totals(pk))
