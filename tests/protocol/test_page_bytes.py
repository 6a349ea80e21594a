"""A page ends when it has 8 MiB, whatever `limit` says, and all pages are the whole list (protocol §1 "Bounded work")."""

from typing import Any

import pytest
from django.db import connection

from intents.models import Event, Intent
from portfolios.models import Portfolio

pytestmark = pytest.mark.full


MiB = 2**20
MOST = 10 * MiB
"""Bytes of an answer: 8 MiB of texts, the last row that crosses it left out, and what goes with them."""


@pytest.fixture
def large(api, make_intent) -> dict[str, Any]:
    """An intent with children, events, costs and more, each kind of them larger than two pages."""
    root = make_intent()["id"]
    there = f"/intents/{root}"
    state = {"text": "ä" * (MiB // 2 - 100)}
    children = [
        api.post(f"{there}/children", {"title": f"{number}", "state": state, "assign": ["ada"]}).json()["id"]
        for number in range(20)
    ]
    small = [api.post(f"{there}/children", {"title": "small"}).json()["id"] for _ in range(3)]
    waiting = [
        api.post(f"{there}/children", {"title": "w", "state": state, "depends_on": [small[0]]}).json()["id"] for _ in range(10)
    ]
    hub = api.post("/intents", {"title": "hub", "depends_on": children}).json()["id"]
    payload = {"text": "a" * (250 * 1024)}
    for _ in range(2):
        api.post(f"{there}/events/batch", {"events": [{"event_type": "comment", "payload": payload}] * 38})
    for number in range(20):
        version = api.get(there).json()["version"]
        api.post(f"{there}/state", {"patches": [{"op": "set", "path": "k", "value": "a" * (MiB - 1000)}]}, version=version)
        api.post(
            f"{there}/costs", {"cost_type": "llm", "amount": number, "unit": "USD", "metadata": {"text": "a" * (MiB - 1000)}}
        )
    portfolios = [api.post("/portfolios", {"name": f"{number}"}).json()["id"] for number in range(4)]
    for portfolio in portfolios[:2]:
        for each in [*children[:12], *small]:
            api.post(f"/portfolios/{portfolio}/intents", {"intent_id": each})
    for _ in range(20):
        api.post("/portfolios", {"name": "big", "metadata": {"text": "a" * (MiB - 100)}})
    for _ in range(45):
        api.post(
            f"{there}/attachments", {"filename": "a", "storage_url": "https://example.com/a", "size": 1, "metadata": payload}
        )
        api.post(f"{there}/arbitrate", {"reason": "r", "context": payload})
        api.post(f"{there}/failures", {"error_type": "timeout", "metadata": payload})
        api.post("/delegations", {"delegate": "d", "constraints": payload})
    return {"root": root, "hub": hub, "small": small[0], "portfolio": portfolios[0], "waiting": len(waiting)}


LISTS = {
    "/intents": "intents",
    "/intents?ordering=updated_at": "intents",
    "/agents/ada/intents": "intents",
    "/intents/{root}/children": "intents",
    "/intents/{root}/descendants": "intents",
    "/intents/{root}/ready": "intents",
    "/intents/{root}/blocked": "intents",
    "/intents/{hub}/dependencies": "intents",
    "/intents/{small}/dependents": "intents",
    "/intents/{root}/events": "events",
    "/intents/{root}/events?order=desc": "events",
    "/events": "events",
    "/events?order=desc": "events",
    "/intents/{root}/costs": "costs",
    "/intents/{root}/attachments": "attachments",
    "/intents/{root}/arbitrations": "arbitrations",
    "/arbitrations": "arbitrations",
    "/intents/{root}/failures": "failures",
    "/delegations": "delegations",
    "/portfolios": "portfolios",
    "/portfolios/{portfolio}/intents": "intents",
}


def walk(api: Any, path: str, name: str, limit: int) -> tuple[list[dict[str, Any]], list[int]]:
    found, sizes, cursor = [], [], ""
    while cursor is not None:
        response = api.get(f"{path}{'&' if '?' in path else '?'}limit={limit}&cursor={cursor}")
        assert response.status_code == 200, response.content[:500]
        sizes.append(len(response.content))
        found += response.json()[name]
        cursor = response.json()["next"]
    return found, sizes


@pytest.mark.case("security M5")
def test_pages_end_by_bytes_and_are_the_whole_list(api, large):
    for path, name in LISTS.items():
        here = path.format(**large)
        whole, sizes = walk(api, here, name, 1_000)
        ids = [each["id"] for each in whole]

        assert (path, max(sizes) < MOST) == (path, True)
        assert (path, len(sizes) > 1) == (path, True)
        assert len(ids) == len({*ids})
        by_sevens, _ = walk(api, here, name, 7)
        assert [each["id"] for each in by_sevens] == ids
        if name != "portfolios":
            assert by_sevens == whole


@pytest.mark.case("security M5")
def test_members_that_are_too_large_for_one_answer_go_on_elsewhere(api, large):
    path = f"/portfolios/{large['portfolio']}"
    response = api.get(path)
    portfolio = response.json()

    assert len(response.content) < MOST
    assert portfolio["aggregate_status"]["total"] == 15
    assert 0 < len(portfolio["intents"]) < 15
    rest = api.get(f"{path}/intents", cursor=portfolio["intents_next"]).json()
    whole, _ = walk(api, f"{path}/intents", "intents", 1_000)
    assert [*portfolio["intents"], *rest["intents"]] == whole[: len(portfolio["intents"]) + len(rest["intents"])]
    assert len(whole) == 15
    small = api.get(f"/intents/{large['small']}/portfolios").json()["portfolios"]
    assert small[0]["intents_next"] == portfolio["intents_next"]


@pytest.mark.case("security M5")
def test_more_than_ten_thousand_members_end_a_page_of_portfolios(api, make_intent, monkeypatch):
    monkeypatch.setattr("portfolios.queries.MAX_MEMBERS", 3)
    members = [make_intent()["id"] for _ in range(2)]
    made = [api.post("/portfolios", {"name": f"{number}"}).json()["id"] for number in range(5)]
    for portfolio in made:
        for each in members:
            api.post(f"/portfolios/{portfolio}/intents", {"intent_id": each})

    walked, sizes = walk(api, "/portfolios", "portfolios", 1_000)

    assert [each["id"] for each in walked] == made[::-1]
    assert {len(each["intents"]) for each in walked} == {2}
    assert len(sizes) == 5


def test_small_rows_are_read_by_one_query(api, make_intent, django_assert_max_num_queries):
    intent = make_intent()["id"]
    api.post(f"/intents/{intent}/events/batch", {"events": [{"event_type": "comment", "payload": {"a": "b"}}] * 90})
    for path in ("/intents", "/events", f"/intents/{intent}/events"):
        api.get(path)
        with django_assert_max_num_queries(2 if "events" in path and connection.vendor == "postgresql" else 1):
            api.get(path)


def test_texts_that_are_null_stay_null(api, make_intent):
    made = [make_intent(description=None, state={"text": "a" * 900_000}) for _ in range(3)] + [make_intent(description="said")]

    listed = {each["id"]: each for each in api.get("/intents").json()["intents"]}

    assert [listed[each["id"]] for each in made] == made
    assert Intent.objects.count() == 4
    assert (Event.objects.count(), Portfolio.objects.count()) == (4, 0)
