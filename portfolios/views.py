"""Endpoints of portfolios and their members (RFC-0007)."""

from typing import Any
from uuid import UUID

from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from core.api.headers import optional_version, versioned_response
from core.api.pagination import Keyset, RowPagination, requested_limit
from core.api.responses import Response
from core.api.serializers import reject_unknown_parameters
from core.api.views import ApiViewSet
from core.openapi import OPTIONAL_IF_MATCH, operation
from core.root_path import public_path
from intents.models import Intent
from portfolios import queries, services
from portfolios.filters import PortfolioFilter
from portfolios.models import Portfolio
from portfolios.representation import PortfolioMemberOut, PortfolioOut
from portfolios.serializers import AddIntentToPortfolio, CreatePortfolio, SetPortfolioStatus, UpdatePortfolio


class PortfolioPagination(RowPagination):
    """Pagination of portfolios with their members; a page ends where these fill it."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        rows = super().paginate_queryset(queryset, request, view)
        bodies, is_cut = queries.portfolio_bodies(rows)
        if is_cut:
            self.next = Keyset(*view.ordering).cursor(rows[len(bodies) - 1], Portfolio)
        return bodies


class _Portfolios(ApiViewSet):
    tags = ["Portfolios"]
    serializer_class = PortfolioOut
    pagination_class = PortfolioPagination
    list_name = "portfolios"

    def respond_list(self, queryset: Any, **members: Any) -> Response:
        return self.get_paginated_response(self.paginate_queryset(self.filter_queryset(queryset)))


class PortfolioViewSet(_Portfolios):
    filterset_class = PortfolioFilter
    ordering = ("-created_at", "-id")
    lookup_url_kwarg = "portfolio_id"

    @operation("create_portfolio", "Create a portfolio", request=CreatePortfolio)
    def create(self, request: Request) -> Response:
        """A portfolio starts `active` and empty. `governance_policy` has its completion rules and the constraints of its members."""
        values = self.validated(CreatePortfolio)
        portfolio = services.create_portfolio(actor=get_actor(request, values.pop("created_by", None)), **values)
        return versioned_response(
            queries.get_portfolio_body(portfolio.pk), status=201, location=public_path(f"/api/v1/portfolios/{portfolio.pk}")
        )

    @operation("list_portfolios", "List portfolios")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return self.respond_list(Portfolio.objects.all())

    @operation("get_portfolio", "Get a portfolio with its members")
    def retrieve(self, request: Request, portfolio_id: UUID | str) -> Response:
        """With all members, the highest priority first. `blocking_intents` are blocked; `ready_intents` have no open dependency."""
        reject_unknown_parameters(request, [])
        return versioned_response(queries.get_portfolio_body(portfolio_id))

    @operation("update_portfolio", "Change a portfolio's details", request=UpdatePortfolio, **OPTIONAL_IF_MATCH)
    def partial_update(self, request: Request, portfolio_id: UUID | str) -> Response:
        """Send the fields to change. A policy replaces the previous one and may complete the portfolio; only the key that created it, arbiters and operators can change it. `If-Match` prevents lost updates."""
        changes = self.validated(UpdatePortfolio)
        actor = get_actor(request, changes.pop("actor", None))
        services.update_portfolio(
            portfolio_id=portfolio_id, actor=actor, changes=changes, expected_version=optional_version(request)
        )
        return versioned_response(queries.get_portfolio_body(portfolio_id))

    @operation("update_portfolio_status", "Complete or abandon a portfolio", request=SetPortfolioStatus, **OPTIONAL_IF_MATCH)
    @action(detail=True, methods=["patch"])
    def status(self, request: Request, portfolio_id: UUID | str) -> Response:
        """Completed and abandoned are final. With `require_all_completed` it completes only when all of its members are completed."""
        values = self.validated(SetPortfolioStatus)
        actor = get_actor(request, values.pop("actor", None))
        services.update_portfolio_status(
            portfolio_id=portfolio_id, actor=actor, expected_version=optional_version(request), **values
        )
        return versioned_response(queries.get_portfolio_body(portfolio_id))


class MemberViewSet(ApiViewSet):
    tags = ["Portfolios"]
    serializer_class = PortfolioMemberOut
    list_name = "intents"
    lookup_url_kwarg = "intent_id"

    @operation("add_intent_to_portfolio", "Add an intent to a portfolio", request=AddIntentToPortfolio, **OPTIONAL_IF_MATCH)
    def create(self, request: Request, portfolio_id: UUID | str) -> Response:
        """Once per portfolio. `auto_complete_threshold` may complete the portfolio if the intent is already completed."""
        values = self.validated(AddIntentToPortfolio)
        actor = get_actor(request, values.pop("actor", None))
        added = services.add_intent_to_portfolio(
            portfolio_id=portfolio_id, actor=actor, expected_version=optional_version(request), **values
        )
        return self.respond(added, status=201)

    @operation("get_portfolio_intents", "List the intents of a portfolio")
    def list(self, request: Request, portfolio_id: UUID | str) -> Response:
        """Highest priority first."""
        reject_unknown_parameters(request, RowPagination.parameters)
        found = queries.members_page(
            Portfolio.objects.require(portfolio_id), limit=requested_limit(request), cursor=request.query_params.get("cursor")
        )
        return Response({"intents": found.rows, "next": found.next})

    @operation("remove_intent_from_portfolio", "Remove an intent from a portfolio", **OPTIONAL_IF_MATCH)
    def destroy(self, request: Request, portfolio_id: UUID | str, intent_id: UUID | str) -> Response:
        """Idempotent."""
        services.remove_intent_from_portfolio(
            portfolio_id=portfolio_id,
            intent_id=intent_id,
            actor=get_actor(request),
            expected_version=optional_version(request),
        )
        return Response(status=204)


class IntentPortfolioViewSet(_Portfolios):
    ordering = ("created_at", "id")

    @operation("get_intent_portfolios", "List the portfolios of an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Oldest first."""
        return self.respond_list(Portfolio.objects.filter(members__intent_id=Intent.objects.require(intent_id)))
