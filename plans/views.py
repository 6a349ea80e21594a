"""Endpoint of plans (rule G-8)."""

from functools import cache
from typing import Any

from rest_framework.request import Request

from access.identity import Actor, get_actor
from core.api.responses import Response
from core.api.views import ApiViewSet
from core.openapi import operation
from plans.plan import PlannedIntent
from plans.representation import PlanOut, plan_body
from plans.serializers import CreateIntents
from plans.services import create_plan


class PlanViewSet(ApiViewSet):
    tags = ["Intents"]
    list_name = "intents"

    @operation(
        "create_intents",
        "Create several intents that refer to each other, all or none",
        request=CreateIntents,
        responses={201: PlanOut},
    )
    def create(self, request: Request) -> Response:
        """A plan of up to 1,000 intents, in any order: `parent` and `depends_on` are refs of other intents, or ids of existing ones. Edges, assignments and, with `portfolio`, memberships are created with them, as by single requests; altogether at most 10,000 dependencies and 10,000 assignments. An unknown ref, a duplicate or a cycle is 400, and nothing is created."""
        values = self.validated(CreateIntents)

        @cache
        def actor(named: str | None) -> Actor:
            return get_actor(request, named)

        planned = [PlannedIntent(actor(each.pop("created_by", None)), **each) for each in values["intents"]]
        portfolio: dict[str, Any] | None = values.get("portfolio")
        if portfolio is not None:
            portfolio["actor"] = actor(portfolio.pop("created_by", None))
        created = create_plan(intents=planned, portfolio=portfolio)
        return Response(plan_body(planned, created), status=201)
