"""Lists of which nobody has more to say: they cost the same whatever is in them."""

import pytest

LISTS = [
    "access/apikey/",
    "attachments/attachment/",
    "costs/cost/",
    "governance/decision/",
    "governance/delegation/",
    "intents/event/",
    "portfolios/portfolio/",
    "retries/failure/",
    "subscriptions/delivery/",
    "subscriptions/subscription/",
]


@pytest.fixture
def one_more(api, make_intent):
    """Makes one of everything."""

    def make(number):
        intent = make_intent(title=f"Number {number}", assign=["ada"])
        path = f"/intents/{intent['id']}"
        made = [
            api.post("/keys", {"name": f"key {number}", "role": "agent"}),
            api.post(
                f"{path}/attachments", {"filename": f"{number}.txt", "content_type": "text/plain", "content_base64": "YQ=="}
            ),
            api.post(f"{path}/costs", {"cost_type": "api_call", "amount": number, "unit": "USD", "agent_id": f"agent-{number}"}),
            api.post(f"{path}/decisions", {"decision": f"so {number}", "rationale": "because"}),
            api.post(
                "/delegations", {"delegate": f"agent-{number}", "scope": {"actions": ["decide"], "intents": [intent["id"]]}}
            ),
            api.post("/portfolios", {"name": f"Portfolio {number}"}),
            api.post(f"{path}/failures", {"error_type": "timeout", "error_message": "none came"}),
            api.post(f"{path}/subscriptions", {"subscriber_id": f"service-{number}", "callback_url": "https://example.com/hook"}),
        ]
        assert {each.status_code for each in made} == {201}, [each.content for each in made]

    return make


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_queries_whatever_there_is(person, one_more, path):
    vera = person("viewer")

    one_more(0)
    before = vera.queries(path)
    for number in range(1, 7):
        one_more(number)

    assert vera.queries(path) == before <= 16
