"""Representation of a created plan in a response."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from core import encoding, strict_json
from core.api.pagination import PAGE_BYTES
from core.api.representation import ResponseSerializer
from intents.representation import IntentOut
from plans.plan import PlannedIntent
from plans.services import CreatedPlan
from portfolios.queries import get_portfolio_body, new_portfolio_body
from portfolios.representation import PortfolioOut


class PlanOut(ResponseSerializer):
    intents = IntentOut(many=True, help_text="In the order of the request.")
    refs = serializers.DictField(child=serializers.UUIDField(), help_text="The id of each ref.")
    portfolio = PortfolioOut(allow_null=True)


def plan_body(planned: Sequence[PlannedIntent], created: CreatedPlan) -> dict[str, Any]:
    """Return the intents in the order of the request, the ids by ref, and the portfolio: as far as it fits into a page."""
    bodies = {each.pk: IntentOut.render(each) for each in created.intents}
    encoded = strict_json.text([*bodies.values()])
    portfolio = None
    if created.portfolio and len(encoded) > PAGE_BYTES:
        portfolio = get_portfolio_body(created.portfolio.pk)
    elif created.portfolio:
        portfolio = new_portfolio_body(created.portfolio, created.members, bodies)
    refs = zip([each.ref for each in planned], bodies.values(), strict=True)
    return {
        "intents": encoding.json(encoded),
        "refs": {ref: body["id"] for ref, body in refs if ref is not None},
        "portfolio": portfolio,
    }
