"""Costs and their summaries (RFC-0009)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

from .._call import Call, list_call
from .._parameters import Id, Instant, path, to_rfc3339, without_none
from ..models import Cost, CostSummary
from ..models.costs import cost_summary
from ..validation import validate_cost
from ..validation.costs import exact_amount
from ._transport import Transport


class CostResource(Transport):
    """/intents/{id}/costs and /portfolios/{id}/costs (RFC-0009)."""

    def record_cost(
        self,
        intent_id: Id,
        cost_type: str,
        amount: int | float | Decimal | str,
        unit: str = "USD",
        provider: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        model: str | None = None,
        agent_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Cost:
        """Record a cost of the intent (C-1). A budget never rejects it, as the money is spent already (C-3).

        `USD` and `cents` are money; any other unit is summed on its own. `model` may be in `metadata` instead. An amount is stored
        with 12 decimals, rounded half to even: `seconds * 2.49 / 3600` can be passed unrounded.

        Raises InputValidationError, NotFoundError.
        """
        validate_cost(cost_type, amount, unit, provider=provider, model=model, metadata=metadata, agent_id=agent_id)
        digits = format(abs(exact_amount(amount)), "f")  # No exponent, and no -0, which Decimal has.
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "costs"),
                Cost.from_json,
                json=without_none(
                    cost_type=cost_type,
                    amount=digits.rstrip("0").rstrip(".") if "." in digits else digits,
                    unit=unit,
                    provider=provider,
                    model=model,
                    metadata=metadata,
                    agent_id=agent_id,
                ),
                idempotency_key=idempotency_key,
                exact_decimals=True,
            )
        )

    def get_costs(
        self,
        intent_id: Id,
        *,
        agent_id: str | None = None,
        cost_type: str | None = None,
        unit: str | None = None,
        since: Instant | None = None,
        limit: int | None = None,
    ) -> list[Cost]:
        """Return the intent's costs that match, or the first `limit` of them, the oldest first. Raises NotFoundError."""
        return self.send(
            list_costs(path("intents", intent_id, "costs"), limit, agent_id=agent_id, cost_type=cost_type, unit=unit, since=since)
        )

    def get_cost_summary(self, intent_id: Id, *, rollup: Literal["tree"] | None = None) -> CostSummary:
        """Return the sums of the intent's costs: `summary["total"]`, `summary["by_type"]` and so on, all of them exact (C-2).

        `rollup="tree"` includes all descendants (C-4). Raises NotFoundError.
        """
        return self.send(
            Call(
                "GET",
                path("intents", intent_id, "costs", "summary"),
                cost_summary,
                params=without_none(rollup=rollup),
                exact_decimals=True,
            )
        )

    def get_portfolio_costs(
        self,
        portfolio_id: Id,
        *,
        agent_id: str | None = None,
        cost_type: str | None = None,
        unit: str | None = None,
        since: Instant | None = None,
        limit: int | None = None,
    ) -> list[Cost]:
        """Return the costs of the portfolio's members that match, or the first `limit` of them, the oldest first (C-4).

        Raises NotFoundError.
        """
        return self.send(
            list_costs(
                path("portfolios", portfolio_id, "costs"), limit, agent_id=agent_id, cost_type=cost_type, unit=unit, since=since
            )
        )


def list_costs(path: str, limit: int | None, *, since: Instant | None, **filters: str | None) -> Call[list[Cost]]:
    return replace(list_call(path, "costs", Cost, limit=limit, since=to_rfc3339(since, "since"), **filters), exact_decimals=True)
