from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import actor_of
from core.api.filters import narrow
from core.api.headers import optional_version, versioned
from core.api.pagination import PARAMETERS, Keyset, limit_of, page
from core.api.serializers import check_parameters, parse
from core.api.views import ApiViewSet
from core.db import sql_rows
from core.openapi import changed, created, deleted, listed, read
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

NEWEST = Keyset("-created_at", "-id")
BY_AGE = Keyset("created_at", "id")


class PortfolioViewSet(ApiViewSet):
    tags = ["Portfolios"]

    @created("create_portfolio", "Create a portfolio", CreatePortfolio, PortfolioOut)
    def create(self, request: Request) -> Response:
        values = parse(CreatePortfolio, request)
        portfolio = services.create_portfolio(actor=actor_of(request, values.pop("created_by", None)), **values)
        return versioned(
            queries.get_portfolio_body(portfolio.pk), status=201, location=public_path(f"/api/v1/portfolios/{portfolio.pk}")
        )

    @listed("list_portfolios", "List portfolios", PortfolioOut, "portfolios", filterset=PortfolioFilter)
    def list(self, request: Request) -> Response:
        return _answer(narrow(PortfolioFilter, Portfolio.objects.all(), request, []), request, NEWEST)

    @read("get_portfolio", "Get a portfolio with its members", PortfolioOut)
    def retrieve(self, request: Request, portfolio_id: UUID | str) -> Response:
        check_parameters(request, [])
        return versioned(queries.get_portfolio_body(portfolio_id))

    @changed("update_portfolio", "Change a portfolio's details", UpdatePortfolio, PortfolioOut, may_be_versioned=True)
    def partial_update(self, request: Request, portfolio_id: UUID | str) -> Response:
        changes = parse(UpdatePortfolio, request)
        actor = actor_of(request, changes.pop("actor", None))
        services.update_portfolio(
            portfolio_id=portfolio_id, actor=actor, changes=changes, expected_version=optional_version(request)
        )
        return versioned(queries.get_portfolio_body(portfolio_id))

    @changed(
        "update_portfolio_status", "Complete or abandon a portfolio", SetPortfolioStatus, PortfolioOut, may_be_versioned=True
    )
    def status(self, request: Request, portfolio_id: UUID | str) -> Response:
        values = parse(SetPortfolioStatus, request)
        actor = actor_of(request, values.pop("actor", None))
        services.update_portfolio_status(
            portfolio_id=portfolio_id, actor=actor, expected_version=optional_version(request), **values
        )
        return versioned(queries.get_portfolio_body(portfolio_id))


class MemberViewSet(ApiViewSet):
    tags = ["Portfolios"]

    @created(
        "add_intent_to_portfolio", "Add an intent to a portfolio", AddIntentToPortfolio, PortfolioMemberOut, may_be_versioned=True
    )
    def add(self, request: Request, portfolio_id: UUID | str) -> Response:
        values = parse(AddIntentToPortfolio, request)
        actor = actor_of(request, values.pop("actor", None))
        intent, member = services.add_intent_to_portfolio(
            portfolio_id=portfolio_id, actor=actor, expected_version=optional_version(request), **values
        )
        return Response(member_body(intent, member), status=201)

    @listed("get_portfolio_intents", "List the intents of a portfolio", PortfolioMemberOut, "intents")
    def list(self, request: Request, portfolio_id: UUID | str) -> Response:
        check_parameters(request, PARAMETERS)
        found = queries.members_page(
            Portfolio.objects.require(portfolio_id), limit=limit_of(request), cursor=request.query_params.get("cursor")
        )
        return Response({"intents": found.rows, "next": found.next})

    @deleted("remove_intent_from_portfolio", "Take an intent out of a portfolio", may_be_versioned=True)
    def remove(self, request: Request, portfolio_id: UUID | str, intent_id: UUID | str) -> Response:
        services.remove_intent_from_portfolio(
            portfolio_id=portfolio_id,
            intent_id=intent_id,
            actor=actor_of(request),
            expected_version=optional_version(request),
        )
        return Response(status=204)

    @listed("get_intent_portfolios", "List the portfolios that an intent is in", PortfolioOut, "portfolios")
    def portfolios(self, request: Request, intent_id: UUID | str) -> Response:
        check_parameters(request, PARAMETERS)
        intent = Intent.objects.require(intent_id)
        return _answer(Portfolio.objects.filter(members__intent_id=intent), request, BY_AGE)


def _answer(portfolios: QuerySet[Portfolio], request: Request, keyset: Keyset) -> Response:
    found = page(portfolios, request, keyset, fetch=sql_rows.fetch_within)
    bodies, is_cut = queries.portfolio_bodies(found.rows)
    further = keyset.cursor(found.rows[len(bodies) - 1], Portfolio) if is_cut else found.next
    return Response({"portfolios": bodies, "next": further})
