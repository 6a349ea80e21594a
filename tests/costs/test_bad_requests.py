"""Invalid requests of costs, which write nothing."""

import pytest

from costs.models import BudgetAlert, Cost, CostTotal
from tests.conftest import log

NOWHERE = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"


def rows():
    return [model.objects.count() for model in (Cost, CostTotal, BudgetAlert)]


@pytest.mark.rule("C-1")
@pytest.mark.parametrize(
    ("fields", "about", "code"),
    [
        ({"amount": -1}, "amount", "min_value"),
        ({"amount": -0.01}, "amount", "min_value"),
        ({"amount": "-1"}, "amount", "invalid"),
        ({"amount": 1_000_000_000_001}, "amount", "max_value"),
        ({"amount": 1e300}, "amount", "max_value"),
        ({"amount": "1000000000000.000000000001"}, "amount", "invalid"),
        ({"amount": "0.0000000000001"}, "amount", "inexact_number"),
        ({"amount": 1e-13}, "amount", "inexact_number"),
        ({"amount": 5e-324}, "amount", "inexact_number"),
        ({"amount": f"0.{'3' * 101}"}, "amount", "invalid"),
        ({"amount": "1e3"}, "amount", "invalid"),
        ({"amount": "1,5"}, "amount", "invalid"),
        ({"amount": " 1"}, "amount", "invalid"),
        ({"amount": "1\n"}, "amount", "invalid"),
        ({"amount": ".5"}, "amount", "invalid"),
        ({"amount": "5."}, "amount", "invalid"),
        ({"amount": "05"}, "amount", "invalid"),
        ({"amount": "١"}, "amount", "invalid"),
        ({"amount": "NaN"}, "amount", "invalid"),
        ({"amount": ""}, "amount", "invalid"),
        ({"amount": True}, "amount", "invalid"),
        ({"amount": None}, "amount", "null"),
        ({"amount": [1]}, "amount", "invalid"),
        ({"amount": {"USD": 1}}, "amount", "invalid"),
        ({"cost_type": ""}, "cost_type", "blank"),
        ({"cost_type": "  "}, "cost_type", "invalid"),
        ({"cost_type": "a\nb"}, "cost_type", "invalid"),
        ({"cost_type": "x" * 101}, "cost_type", "max_length"),
        ({"cost_type": 5}, "cost_type", "invalid"),
        ({"unit": ""}, "unit", "blank"),
        ({"unit": None}, "unit", "null"),
        ({"unit": "USD "}, "unit", "invalid"),
        ({"unit": "u" * 33}, "unit", "max_length"),
        ({"unit": "cent"}, "unit", "unknown_money"),
        ({"unit": "US$"}, "unit", "unknown_money"),
        ({"unit": "$"}, "unit", "unknown_money"),
        ({"unit": "Dollars"}, "unit", "unknown_money"),
        ({"unit": "US-Dollar"}, "unit", "unknown_money"),
        ({"unit": "¢"}, "unit", "unknown_money"),
        ({"provider": "p" * 256}, "provider", "max_length"),
        ({"provider": ""}, "provider", "blank"),
        ({"model": "m" * 256}, "model", "max_length"),
        ({"model": 4}, "model", "invalid"),
        ({"metadata": []}, "metadata", "not_a_dict"),
        ({"metadata": None}, "metadata", "null"),
        ({"agent_id": "a" * 256}, "agent_id", "max_length"),
        ({"amout": 1}, "amout", "unknown_field"),
        ({"recorded_at": "2027-01-01T00:00:00Z"}, "recorded_at", "unknown_field"),
    ],
)
def test_invalid_cost_is_refused(api, make_intent, fields, about, code):
    intent = make_intent(constraints={"max_cost": 0})

    response = api.post(f"/intents/{intent['id']}/costs", {"cost_type": "api_call", "amount": 1, **fields})

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(about, code)]
    assert rows() == [0, 0, 0]
    assert log(api, intent) == [("intent_created", "dev-user")]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"cost_type": "x"}', b'{"cost_type": "x", "amount": 1e400}', b"{amount: 1}"]
)
def test_malformed_body_is_refused(api, make_intent, body):
    response = api.post(f"/intents/{make_intent()['id']}/costs", body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert rows() == [0, 0, 0]


@pytest.mark.parametrize("pk", [NOWHERE, "7", NOWHERE.replace("-", "")])
def test_costs_of_unknown_objects_are_not_found(api, pk):
    answers = [
        api.post(f"/intents/{pk}/costs", {"cost_type": "x", "amount": 1}),
        api.post(f"/intents/{pk}/costs", {"cost_type": "x", "amount": 1, "unit": "tokens"}),
        api.get(f"/intents/{pk}/costs"),
        api.get(f"/intents/{pk}/costs/summary"),
        api.get(f"/portfolios/{pk}/costs"),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert rows() == [0, 0, 0]


@pytest.mark.parametrize(
    ("path", "query", "about"),
    [
        ("/summary", {"rollup": "all"}, "rollup"),
        ("/summary", {"rollup": ""}, "rollup"),
        ("/summary", {"roll_up": "tree"}, "roll_up"),
        ("/summary", {"agent_id": "ada"}, "agent_id"),
        ("", {"rollup": "tree"}, "rollup"),
        ("", {"since": "yesterday"}, "since"),
        ("", {"unit": ""}, "unit"),
        ("", {"limit": "0"}, "limit"),
        ("", {"cursor": "x"}, "cursor"),
    ],
)
def test_invalid_query_parameter_is_refused(api, make_intent, path, query, about):
    response = api.get(f"/intents/{make_intent()['id']}/costs{path}", **query)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, about)


def test_cost_is_never_changed_or_removed(api, spend, make_intent):
    intent = make_intent()
    spend(intent, 1)

    for method in ("PUT", "PATCH", "DELETE"):
        assert api.send(method, f"/intents/{intent['id']}/costs", {}).status_code == 405
    assert rows() == [1, 1, 0]
