"""Costs, by both clients: exact from the caller to the database and back (protocol C-1)."""

from decimal import Decimal

import pytest
from openintent import Cost, InputValidationError
from openintent.validation import validate_cost

from .samples import EVENT, INTENT

pytestmark = pytest.mark.database("sqlite")


COST = {
    "id": EVENT["id"],
    "intent_id": INTENT["id"],
    "agent_id": "ada",
    "cost_type": "api_call",
    "amount": 0.05,
    "unit": "USD",
    "provider": None,
    "model": None,
    "metadata": {},
    "recorded_at": EVENT["created_at"],
}


@pytest.fixture
def live(connect, server):
    return connect(server.url, "dev-user-key", "ada")


@pytest.fixture
def intent(live):
    return live.create_intent(title="Book flights")


@pytest.mark.rule("C-1")
@pytest.mark.parametrize(
    ("given", "amount"),
    [
        (0.1, "0.1"),
        (1e-12, "0.000000000001"),
        (20.0, "20"),
        (7, "7"),
        ("0.1", "0.1"),
        ("0.000000000001", "0.000000000001"),
        ("999999999999.999999999999", "999999999999.999999999999"),
        (Decimal("999999999999.999999999999"), "999999999999.999999999999"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0"), "0"),
        (Decimal("0.5000000000000000000000"), "0.5"),
        ("10.00", "10"),
        pytest.param(37 * 2.49 / 3600, "0.025591666667", marks=pytest.mark.case("coordination O15")),
        pytest.param(Decimal("0.02559166666666667"), "0.025591666667", marks=pytest.mark.case("coordination O15")),
        pytest.param("0.02559166666666667", "0.025591666667", marks=pytest.mark.case("coordination O15")),
        pytest.param(1 / 3, "0.333333333333", marks=pytest.mark.case("coordination O15")),
        pytest.param(Decimal(2) / Decimal(3), "0.666666666667", marks=pytest.mark.case("coordination O15")),
        pytest.param(123456789012.1234, "123456789012.1234", marks=pytest.mark.case("coordination O15")),
    ],
)
def test_amounts_round_trip_with_every_digit(live, intent, given, amount):
    cost = live.record_cost(intent.id, "api_call", given)

    total = live.get_cost_summary(intent.id)["total"]
    [listed] = live.get_costs(intent.id)
    assert [f"{each:f}" for each in (cost.amount, listed.amount, total)] == [amount] * 3


@pytest.mark.rule("C-1", "C-2")
def test_costs_are_listed_filtered_and_added_up(live, intent):
    metadata = {"model": "gpt-4", "tokens": 1500, "temperature": 0.7, "tried": [0.1, None]}
    first = live.record_cost(intent.id, cost_type="api_call", amount=0.05, unit="USD", provider="openai", metadata=metadata)
    live.record_cost(intent.id, "compute", "12.5", "cents", model="a100")
    child = live.create_child_intent(intent.id, "A part")
    live.record_cost(child.id, "compute", 1)

    assert (first.model, first.agent_id, first.metadata, first.extra) == ("gpt-4", "ada", metadata, {})
    assert type(first.metadata["temperature"]) is float
    assert live.get_costs(intent.id, cost_type="api_call") == [first]
    assert len(live.get_costs(intent.id, limit=1)) == 1
    summary = live.get_cost_summary(intent.id)
    assert summary == {
        "unit": "USD",
        "total": Decimal("0.175"),
        "by_type": {"api_call": Decimal("0.05"), "compute": Decimal("0.125")},
        "by_agent": {"ada": Decimal("0.175")},
        "by_provider": {"openai": Decimal("0.05")},
        "by_model": {"a100": Decimal("0.125"), "gpt-4": Decimal("0.05")},
        "by_unit": {"USD": Decimal("0.05"), "cents": Decimal("12.5")},
        "count": 2,
    }
    assert isinstance(summary["by_type"]["api_call"], Decimal)
    assert live.get_cost_summary(intent.id, rollup="tree")["total"] == Decimal("1.175")


def test_units_that_do_not_add_up_have_no_total(live, intent):
    live.record_cost(intent.id, "x", 3, "tokens")
    live.record_cost(intent.id, "x", 4, "seconds")

    assert live.get_cost_summary(intent.id)["total"] is None


def test_fractions_outside_amounts_stay_floats(client, script):
    script.respond({**INTENT, "state": {"spent": 0.05}}, {"costs": [COST], "summary": {}, "next": None})

    assert type(client.get_intent("x").state["spent"]) is float
    assert client.get_costs("x") == [Cost.from_json(COST)]


def test_portfolio_costs_are_requested(client, script):
    script.respond({"costs": [COST], "summary": {}, "next": None})

    [cost] = client.get_portfolio_costs("p", unit="USD")

    assert cost.amount == Decimal("0.05")
    assert script.seen[0].target == "/api/v1/portfolios/p/costs?unit=USD&limit=1000"


@pytest.mark.parametrize("amount", [-1, True, None, "", "much", "NaN", float("inf"), 1e-13, 10**12 + 1, "1e-13", "1e3000", [1]])
def test_an_amount_that_cannot_be_is_refused_before_it_is_sent(client, script, amount):
    with pytest.raises(InputValidationError) as caught:
        client.record_cost("x", "api_call", amount)

    assert caught.value.field == "amount"
    assert script.seen == []


@pytest.mark.rule("C-1")
@pytest.mark.parametrize(
    ("amount", "sent"),
    [(0.1 + 0.2, "0.3"), (0.1 + 0.7, "0.8"), (1500 * 0.00003, "0.045"), (1358.0160000000003, "1358.016"), (0.1, "0.1")],
)
def test_noise_of_binary_arithmetic_is_removed(client, script, amount, sent):
    script.respond(COST)

    client.record_cost("x", "api_call", amount)

    assert script.seen[0].body["amount"] == sent


@pytest.mark.parametrize(
    ("cost_type", "unit", "field"), [("", "USD", "cost_type"), ("x", "", "unit"), ("x" * 101, "USD", "cost_type")]
)
def test_strings_are_validated_as_enum_values(cost_type, unit, field):
    with pytest.raises(InputValidationError) as caught:
        validate_cost(cost_type, 1, unit)

    assert caught.value.field == field


@pytest.mark.case("coordination O14")
@pytest.mark.parametrize(("unit", "meant"), [("cent", "cents"), ("US$", "USD"), ("dollars", "USD"), ("¢", "cents")])
def test_a_unit_that_only_looks_like_money_is_refused_before_it_is_sent(client, script, unit, meant):
    with pytest.raises(InputValidationError, match=f"did you mean '{meant}'") as caught:
        client.record_cost("x", "api_call", 1, unit)

    assert caught.value.field == "unit"
    assert script.seen == []
