"""Names in requests of the published 0.x clients, which mean what they meant (protocol K-11)."""

import pytest

pytestmark = pytest.mark.rule("K-11")


@pytest.fixture
def intent(make_intent):
    return make_intent()


def test_a_child_may_name_its_parent(api, intent):
    for name in ("parent_intent_id", "parent_id"):
        child = api.post(f"/intents/{intent['id']}/children", {"title": "Part", name: intent["id"]})

        assert (child.status_code, child.json()["parent_intent_id"]) == (201, intent["id"])


def test_a_child_of_two_parents_is_refused(api, intent, make_intent):
    body = {"title": "Part", "parent_intent_id": make_intent()["id"]}

    refused = api.post(f"/intents/{intent['id']}/children", body)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "parent_intent_id")
    assert api.get(f"/intents/{intent['id']}/children").json()["intents"] == []


def test_dependency_id_is_what_it_depends_on(api, intent, make_intent):
    other = make_intent()

    changed = api.post(f"/intents/{intent['id']}/dependencies", {"dependency_id": other["id"]}, version=intent["version"])

    assert changed.json()["depends_on"] == [other["id"]]


def test_delays_may_be_in_milliseconds(api, intent):
    policy = api.send("PUT", f"/intents/{intent['id']}/retry-policy", {"base_delay_ms": 1500, "max_delay_ms": 60_000}).json()

    assert (policy["base_delay_seconds"], policy["max_delay_seconds"]) == (1.5, 60)


@pytest.mark.parametrize(
    "body",
    [{"base_delay_ms": 1500, "base_delay_seconds": 1}, {"base_delay_ms": "much"}, {"base_delay_ms": -1},
     {"base_delay_ms": True}, {"base_delay_ms": 10**15}, {"max_delay_ms": None}],
)  # fmt: skip
def test_wrong_delays_are_refused(api, intent, body):
    assert api.send("PUT", f"/intents/{intent['id']}/retry-policy", body).status_code == 400


def test_delays_in_both_units_may_agree(api, intent):
    policy = api.send("PUT", f"/intents/{intent['id']}/retry-policy", {"base_delay_ms": 1500, "base_delay_seconds": 1.5})

    assert policy.status_code in (200, 201)


def test_cost_metadata_is_metadata(api, intent):
    cost = api.post(
        f"/intents/{intent['id']}/costs", {"cost_type": "call", "amount": 1, "cost_metadata": {"model": "opus"}}
    ).json()

    assert (cost["metadata"], cost["model"]) == ({"model": "opus"}, "opus")


@pytest.mark.parametrize("path", ["/intents", "/intents/{}/children", "/portfolios"])
def test_an_empty_creator_is_the_caller(agent, intent, path):
    body = {"name" if path == "/portfolios" else "title": "Trip"}
    ada = agent("ada")

    creators = [ada.post(path.format(intent["id"]), {**body, "createdBy": who}).json()["created_by"] for who in ("", "ada")]

    assert creators == ["ada", "ada"]


def test_events_can_be_skipped(api, intent):
    for number in range(3):
        api.post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"number": number}})

    of_intent = api.get(f"/intents/{intent['id']}/events?offset=2&limit=2").json()["events"]
    of_all = api.get("/events?event_type=comment&order=desc&offset=1&limit=1").json()["events"]

    assert [each["payload"] for each in of_intent] == [{"number": 1}, {"number": 2}]
    assert [each["payload"] for each in of_all] == [{"number": 1}]


@pytest.mark.parametrize("relation", ["children", "descendants", "ancestors", "dependencies", "dependents", "ready", "blocked"])
def test_lists_of_the_graph_have_intents(api, intent, relation):
    assert api.get(f"/intents/{intent['id']}/{relation}").json()["intents"] == []
