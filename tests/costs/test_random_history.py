"""Summaries of any history of costs, compared with an independent sum in Decimal."""

from collections import defaultdict
from decimal import Context, Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.identity import Actor
from costs.services import record_cost
from intents.services import create_intent
from tests.costs.conftest import exact_json

pytestmark = pytest.mark.full


EXACT = Context(prec=60)
MONEY = {"USD": Decimal(1), "cents": Decimal("0.01")}
PARTS = st.one_of(st.integers(0, 10**24), st.sampled_from([0, 1, 10**12, 10**24, 5 * 10**10]))
COSTS = st.tuples(
    st.integers(0, 20),
    PARTS,
    st.sampled_from(["USD", "cents", "tokens", "seconds"]),
    st.sampled_from(["api_call", "compute"]),
    st.sampled_from(["ada", "bob"]),
    st.sampled_from([None, "openai", "anthropic"]),
    st.sampled_from([None, "gpt-4"]),
)
BREAKDOWNS = {"by_type": 3, "by_agent": 4, "by_provider": 5, "by_model": 6}


def expected(costs: list[tuple[Any, ...]]) -> dict[str, Any]:
    by_unit: dict[str, Decimal] = defaultdict(Decimal)
    for _, parts, unit, *_ in costs:
        by_unit[unit] = EXACT.add(by_unit[unit], EXACT.scaleb(Decimal(parts), -12))
    units = set(by_unit)
    unit = "USD" if not units or units & MONEY.keys() else min(units) if len(units) == 1 else None
    worth = MONEY if unit == "USD" else {unit: Decimal(1)}
    shown = [(cost, EXACT.multiply(EXACT.scaleb(Decimal(cost[1]), -12), worth[cost[2]])) for cost in costs if cost[2] in worth]
    found: dict[str, Any] = {name: defaultdict(Decimal) for name in BREAKDOWNS}
    total = Decimal(0)
    for cost, amount in shown:
        total = EXACT.add(total, amount)
        for name, place in BREAKDOWNS.items():
            if cost[place]:
                found[name][cost[place]] = EXACT.add(found[name][cost[place]], amount)
    return {**found, "unit": unit, "total": None if unit is None else total, "by_unit": by_unit, "count": len(costs)}


@pytest.mark.rule("C-1", "C-2", "C-4")
@given(
    parents=st.lists(st.integers(0, 20), max_size=6),
    members=st.sets(st.integers(0, 6)),
    costs=st.lists(COSTS, max_size=12),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_summaries_equal_an_independent_sum(api, parents, members, costs):
    with transaction.atomic():
        intents = [create_intent(actor=Actor("ada"), title="Root")]
        tree = {0: {0}}
        for number, parent in enumerate(parents, start=1):
            above = parent % number
            intents.append(create_intent(actor=Actor("ada"), title="Part", parent_intent_id=intents[above].pk))
            tree[number] = {number}
            for below in tree.values():
                if above in below:
                    below.add(number)
        costs = [(where % len(intents), *rest) for where, *rest in costs]
        for where, parts, unit, cost_type, agent, provider, model in costs:
            record_cost(
                intent_id=intents[where].pk,
                actor=Actor(agent),
                cost_type=cost_type,
                amount=parts,
                unit=unit,
                provider=provider,
                model=model,
            )
        within = {member % len(intents) for member in members}
        portfolio = api.post("/portfolios", {"name": "Some of them"}).json()
        for number in within:
            body = {"intent_id": str(intents[number].pk)}
            assert api.post(f"/portfolios/{portfolio['id']}/intents", body).status_code == 201

        for number, intent in enumerate(intents):
            path = f"/intents/{intent.pk}/costs/summary"
            assert exact_json(api.get(path)) == expected([cost for cost in costs if cost[0] == number])
            assert exact_json(api.get(path, rollup="tree")) == expected([cost for cost in costs if cost[0] in tree[number]])
        of_members = exact_json(api.get(f"/portfolios/{portfolio['id']}/costs"))
        assert of_members["summary"] == expected([cost for cost in costs if cost[0] in within])
        assert len(of_members["costs"]) == of_members["summary"]["count"]
        transaction.set_rollback(True)
