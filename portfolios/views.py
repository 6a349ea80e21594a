"""Endpoints of portfolios and their members (RFC-0007)."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import get_actor
from core.api.filters import filter_queryset
from core.api.headers import optional_version, versioned_response
from core.api.pagination import PAGINATION_PARAMETERS, Keyset, requested_limit
from core.api.serializers import reject_unknown_parameters, validate_body
from core.api.views import ApiViewSet
from core.db import sql_rows
from core.openapi import document_action, document_create, document_destroy, document_list, document_retrieve
from core.root_path import public_path
from intents.models import Intent
from portfolios import queries, services
from portfolios.filters import PortfolioFilter
from portfolios.models import Portfolio
from portfolios.serializers import (
    AddIntentToPortfolio,
    CreatePortfolio,
    PortfolioMemberOut,
    PortfolioOut,
    SetPortfolioStatus,
    UpdatePortfolio,
    member_body,
)

NEWEST_FIRST = Keyset("-created_at", "-id")
OLDEST_FIRST = Keyset("created_at", "id")


class PortfolioViewSet(ApiViewSet):
    tags = ["Portfolios"]

    @document_create("create_portfolio", "Create a portfolio", CreatePortfolio, PortfolioOut)
    def create(self, request: Request) -> Response:
        values = validate_body(CreatePortfolio, request)
        portfolio = services.create_portfolio(actor=get_actor(request, values.pop("created_by", None)), **values)
        return versioned_response(
            queries.get_portfolio_body(portfolio.pk), status=201, location=public_path(f"/api/v1/portfolios/{portfolio.pk}")
        )

    @document_list("list_portfolios", "List portfolios", PortfolioOut, "portfolios", filterset=PortfolioFilter)
    def list(self, request: Request) -> Response:
        return _respond(filter_queryset(PortfolioFilter, Portfolio.objects.all(), request, []), request, NEWEST_FIRST)

    @document_retrieve("get_portfolio", "Get a portfolio with its members", PortfolioOut)
    def retrieve(self, request: Request, portfolio_id: UUID | str) -> Response:
        reject_unknown_parameters(request, [])
        return versioned_response(queries.get_portfolio_body(portfolio_id))

    @document_action("update_portfolio", "Change a portfolio's details", UpdatePortfolio, PortfolioOut, optional_if_match=True)
    def partial_update(self, request: Request, portfolio_id: UUID | str) -> Response:
        changes = validate_body(UpdatePortfolio, request)
        actor = get_actor(request, changes.pop("actor", None))
        services.update_portfolio(
            portfolio_id=portfolio_id, actor=actor, changes=changes, expected_version=optional_version(request)
        )
        return versioned_response(queries.get_portfolio_body(portfolio_id))

    @document_action(
        "update_portfolio_status", "Complete or abandon a portfolio", SetPortfolioStatus, PortfolioOut, optional_if_match=True
    )
    def status(self, request: Request, portfolio_id: UUID | str) -> Response:
        values = validate_body(SetPortfolioStatus, request)
        actor = get_actor(request, values.pop("actor", None))
        services.update_portfolio_status(
            portfolio_id=portfolio_id, actor=actor, expected_version=optional_version(request), **values
        )
        return versioned_response(queries.get_portfolio_body(portfolio_id))


class MemberViewSet(ApiViewSet):
    tags = ["Portfolios"]

    @document_create(
        "add_intent_to_portfolio",
        "Add an intent to a portfolio",
        AddIntentToPortfolio,
        PortfolioMemberOut,
        optional_if_match=True,
    )
    def add(self, request: Request, portfolio_id: UUID | str) -> Response:
        values = validate_body(AddIntentToPortfolio, request)
        actor = get_actor(request, values.pop("actor", None))
        intent, member = services.add_intent_to_portfolio(
            portfolio_id=portfolio_id, actor=actor, expected_version=optional_version(request), **values
        )
        return Response(member_body(intent, member), status=201)

    @document_list("get_portfolio_intents", "List the intents of a portfolio", PortfolioMemberOut, "intents")
    def list(self, request: Request, portfolio_id: UUID | str) -> Response:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        found = queries.members_page(
            Portfolio.objects.require(portfolio_id), limit=requested_limit(request), cursor=request.query_params.get("cursor")
        )
        return Response({"intents": found.rows, "next": found.next})

    @document_destroy("remove_intent_from_portfolio", "Remove an intent from a portfolio", optional_if_match=True)
    def remove(self, request: Request, portfolio_id: UUID | str, intent_id: UUID | str) -> Response:
        services.remove_intent_from_portfolio(
            portfolio_id=portfolio_id,
            intent_id=intent_id,
            actor=get_actor(request),
            expected_version=optional_version(request),
        )
        return Response(status=204)

    @document_list("get_intent_portfolios", "List the portfolios of an intent", PortfolioOut, "portfolios")
    def portfolios(self, request: Request, intent_id: UUID | str) -> Response:
        reject_unknown_parameters(request, PAGINATION_PARAMETERS)
        intent = Intent.objects.require(intent_id)
        return _respond(Portfolio.objects.filter(members__intent_id=intent), request, OLDEST_FIRST)


def _respond(portfolios: QuerySet[Portfolio], request: Request, keyset: Keyset) -> Response:
    found = keyset.paginate_queryset(portfolios, request, fetch=sql_rows.fetch_within)
    bodies, is_cut = queries.portfolio_bodies(found.rows)
    next_cursor = keyset.cursor(found.rows[len(bodies) - 1], Portfolio) if is_cut else found.next
    return Response({"portfolios": bodies, "next": next_cursor})
