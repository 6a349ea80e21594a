"""Recording a cost (RFC-0009)."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from costs.models import Cost, CostTotal
from tests.conftest import Caller, fresh, log, set_status
from tests.costs.conftest import exact_json


def test_cost_is_a_row_a_total_and_an_event_and_no_new_version(api, agent, make_intent):
    intent = make_intent()

    response = agent("ada").post(
        f"/intents/{intent['id']}/costs",
        {
            "cost_type": "api_call",
            "amount": 0.05,
            "unit": "USD",
            "provider": "openai",
            "metadata": {"model": "gpt-4", "tokens": 1500},
        },
    )

    assert response.status_code == 201
    cost = response.json()
    assert cost == {
        "id": cost["id"],
        "intent_id": intent["id"],
        "agent_id": "ada",
        "cost_type": "api_call",
        "amount": 0.05,
        "unit": "USD",
        "provider": "openai",
        "model": "gpt-4",
        "metadata": {"model": "gpt-4", "tokens": 1500},
        "recorded_at": cost["recorded_at"],
    }
    assert Cost.objects.get().amount == 5 * 10**10
    assert CostTotal.objects.values_list("agent_id", "model", "whole", "parts", "count").get() == (
        "ada",
        "gpt-4",
        0,
        5 * 10**10,
        1,
    )
    assert log(api, intent)[1:] == [("cost_recorded", "ada")]
    [*_, event] = api.get(f"/intents/{intent['id']}/events").json()["events"]
    assert event["payload"] == {
        "cost_id": cost["id"],
        "cost_type": "api_call",
        "amount": 0.05,
        "unit": "USD",
        "agent_id": "ada",
        "provider": "openai",
        "model": "gpt-4",
    }
    assert fresh(api, intent)["version"] == 1


def test_only_type_and_amount_are_required(spend, make_intent):
    cost = spend(make_intent(), 3)

    assert [cost[name] for name in ("unit", "agent_id", "provider", "model", "metadata")] == ["USD", "dev-user", None, None, {}]


def test_body_may_name_the_spending_agent(spend, make_intent):
    assert spend(make_intent(), 3, agent_id="bob")["agent_id"] == "bob"


@pytest.mark.rule("C-1")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0.1", "0.1"),
        ("0.000000000001", "0.000000000001"),
        ("999999999999.999999999999", "999999999999.999999999999"),
        ("1000000000000", "1000000000000"),
        ("1000000000000.000", "1000000000000"),
        ("0.050", "0.05"),
        ("0", "0"),
        (0, "0"),
        (-0.0, "0"),
        (10**12, "1000000000000"),
        (1e12, "1000000000000"),
        (0.1, "0.1"),
        (1e-12, "0.000000000001"),
        (0.1 + 0.2, "0.3"),
        (1358.0160000000003, "1358.016"),
        (123456789.012345, "123456789.012345"),
        (100, "100"),
        (20.0, "20"),
    ],
)
def test_every_digit_of_an_amount_is_preserved(api, make_intent, given, kept):
    intent = make_intent()
    path = f"/intents/{intent['id']}/costs"

    answer = api.post(path, {"cost_type": "x", "amount": given})

    assert f'"amount":{kept},'.encode() in answer.content  # Not even in scientific notation.
    assert f'"amount":{kept},'.encode() in api.get(path).content
    assert f'"amount":{kept},'.encode() in api.get(f"/intents/{intent['id']}/events").content
    assert f'"total":{kept},'.encode() in api.get(f"{path}/summary").content


@pytest.mark.rule("C-1")
@pytest.mark.case("coordination O15")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (37 * 2.49 / 3600, "0.025591666667"),
        ("0.02559166666666667", "0.025591666667"),
        (1 / 3, "0.333333333333"),
        (2 / 3, "0.666666666667"),
        (10_000 / 3, "3333.333333333334"),
        (123456789012.1234, "123456789012.1234"),
        (0.000025591666666666667, "0.000025591667"),
        ("0.0000000000005000001", "0.000000000001"),
        ("0.0000000000015", "0.000000000002"),
        ("0.0000000000025", "0.000000000002"),
        ("999999999999.9999999999999", "1000000000000"),
        (f"0.{'3' * 100}", "0.333333333333"),
    ],
)
def test_amounts_are_rounded_to_the_nearest_trillionth(api, make_intent, given, kept):
    intent = make_intent()
    path = f"/intents/{intent['id']}/costs"

    answer = api.post(path, {"cost_type": "gpu", "amount": given})

    assert answer.status_code == 201, answer.json()
    assert f'"amount":{kept},'.encode() in answer.content
    assert f'"total":{kept},'.encode() in api.get(f"{path}/summary").content


@pytest.mark.rule("C-1")
@pytest.mark.case("coordination O15")
def test_computed_amounts_are_accepted_and_totals_match_stored_amounts(api, spend, summary, make_intent):
    intent = make_intent()

    costs = [spend(intent, seconds * 2.49 / 3600) for seconds in range(1, 100)]

    assert summary(intent)["total"] == sum(Decimal(str(cost["amount"])) for cost in costs)
    assert all(abs(float(cost["amount"]) - (n + 1) * 2.49 / 3600) < 1e-12 for n, cost in enumerate(costs))


@pytest.mark.rule("C-1")
def test_ten_times_a_tenth_is_one(spend, summary, make_intent):
    intent = make_intent()

    for _ in range(10):
        spend(intent, 0.1)

    assert summary(intent)["total"] == Decimal(1)
    assert CostTotal.objects.get().count == 10


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"model": "gpt-4"}, "gpt-4"),
        ({"model": "gpt-4", "metadata": {"model": "other"}}, "gpt-4"),
        ({"model": None, "metadata": {"model": "gpt-4"}}, "gpt-4"),
        ({"metadata": {"model": "m" * 255}}, "m" * 255),
        ({"metadata": {"model": "m" * 256}}, None),
        ({"metadata": {"model": 4}}, None),
        ({"metadata": {"model": ""}}, None),
        ({"metadata": {}}, None),
    ],
)
def test_model_is_named_or_taken_from_the_metadata(spend, make_intent, fields, model):
    assert spend(make_intent(), 1, **fields)["model"] == model


@pytest.mark.parametrize(
    ("given", "kept"),
    [("usd", "USD"), ("Cents", "cents"), ("CENTS", "cents"), ("Tokens", "Tokens"), ("EUR", "EUR"), ("gpu_cents", "gpu_cents")],
)
def test_units_of_money_are_normalized(spend, make_intent, given, kept):
    assert spend(make_intent(), 1, given)["unit"] == kept


@pytest.mark.rule("C-3")
def test_cost_of_a_final_intent_is_recorded(api, spend, summary, make_intent):
    intent = make_intent(status="active")
    set_status(api, intent, "completed")

    spend(intent, 2)

    assert summary(intent)["count"] == 1


def test_idempotency_key_records_a_cost_once(api, summary, make_intent):
    intent = make_intent()
    path, body = f"/intents/{intent['id']}/costs", {"cost_type": "x", "amount": "999999999999.999999999999"}

    first = api.post(path, body, idempotency_key="once")
    again = api.post(path, body, idempotency_key="once")

    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert exact_json(first)["amount"] == Decimal("999999999999.999999999999")
    assert summary(intent)["count"] == 1


@pytest.mark.rule("L-4")
def test_lost_lease_prevents_recording_a_cost(api, agent, make_intent):
    intent = make_intent()
    ada = agent("ada")
    lease = ada.post(f"/intents/{intent['id']}/leases", {"scope": "a"}).json()
    path, body = f"/intents/{intent['id']}/costs", {"cost_type": "x", "amount": 1}
    assert ada.post(path, body, x_fencing_token=str(lease["fencing_token"])).status_code == 201

    refused = ada.post(path, body, x_fencing_token="99")

    assert (refused.status_code, refused.json()["code"]) == (409, "lease_lost")
    assert Cost.objects.count() == 1


@pytest.mark.rule("C-1")
@pytest.mark.parametrize("wrong", [{"whole": -1}, {"parts": 10**12}, {"parts": -1}, {"whole": 10**12, "parts": 1}])
def test_database_keeps_amounts_within_bounds(spend, make_intent, wrong):
    spend(make_intent(), 1)

    with pytest.raises(IntegrityError), transaction.atomic():
        Cost.objects.update(**wrong)


def test_observers_read_and_do_not_record_costs(api, make_intent):
    intent = make_intent()
    key = api.post("/keys", {"name": "reader", "role": "observer"}).json()["key"]

    refused = Caller(key).post(f"/intents/{intent['id']}/costs", {"cost_type": "x", "amount": 1})

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert Caller(key).get(f"/intents/{intent['id']}/costs").json()["costs"] == []
    assert not Cost.objects.exists()
