"""Lists of costs: pages, filters and the summary."""

from datetime import UTC, datetime, timedelta

import pytest

from costs.models import Cost
from tests.costs.conftest import exact_json


@pytest.fixture
def intent(spend, make_intent):
    intent = make_intent()
    spend(intent, 1, cost_type="api_call", agent_id="ada")
    spend(intent, 2, "cents", cost_type="compute", agent_id="bob")
    spend(intent, 3, "tokens", cost_type="api_call", agent_id="bob")
    spend(make_intent(), 1000)
    return intent


def amounts(api, intent, **query):
    return sorted(int(cost["amount"]) for cost in exact_json(api.get(f"/intents/{intent['id']}/costs", **query))["costs"])


def test_pages_are_ordered_by_id_and_have_the_whole_summary(api, intent):
    path = f"/intents/{intent['id']}/costs"
    first = exact_json(api.get(path, limit=2))
    second = exact_json(api.get(path, limit=2, cursor=first["next"]))

    found = [cost["id"] for cost in first["costs"] + second["costs"]]
    assert found == sorted(found)
    assert (len(first["costs"]), len(second["costs"]), second["next"]) == (2, 1, None)
    assert first["summary"] == second["summary"] == exact_json(api.get(f"{path}/summary"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"agent_id": "bob"}, [2, 3]),
        ({"cost_type": "api_call"}, [1, 3]),
        ({"unit": "usd"}, [1]),
        ({"unit": "tokens", "agent_id": "bob"}, [3]),
        ({"unit": "Tokens"}, []),
        ({"agent_id": "nobody"}, []),
    ],
)
def test_filters_apply_to_costs_and_not_to_the_summary(api, intent, query, found):
    assert amounts(api, intent, **query) == found
    assert exact_json(api.get(f"/intents/{intent['id']}/costs", **query))["summary"]["count"] == 3


def test_since_filters_by_the_time_of_recording(api, intent):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    Cost.objects.filter(whole=1).update(recorded_at=yesterday)

    assert amounts(api, intent, since=(yesterday + timedelta(hours=1)).isoformat()) == [2, 3]
    assert amounts(api, intent, since=yesterday.isoformat()) == [1, 2, 3]


def test_operator_sees_costs_in_the_console(admin_client, intent):
    response = admin_client.get("/admin/costs/cost/")

    assert response.status_code == 200
    assert "api_call" in response.content.decode()
