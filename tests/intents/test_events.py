"""Event log (RFC-0001 "Events", rules E-*)."""

import pytest
from django.db import DatabaseError, connection, transaction

from intents import event_views
from intents.events import RESERVED
from intents.models import Event
from tests.conftest import log

pytestmark = pytest.mark.database("sqlite", "postgresql")


def events_path(intent):
    return f"/intents/{intent['id']}/events"


def test_event_has_every_field(api, make_intent):
    intent = make_intent()
    [created] = api.get(events_path(intent)).json()["events"]

    response = api.post(
        events_path(intent),
        {"event_type": "comment", "payload": {"message": "Hi"}, "trace_id": "t-1", "parent_event_id": created["id"]},
    )

    assert response.status_code == 201
    event = response.json()
    assert event == {
        "id": event["id"], "intent_id": intent["id"], "portfolio_id": None, "sequence": 2, "position": event["position"],
        "event_type": "comment", "actor": "dev-user", "payload": {"message": "Hi"}, "trace_id": "t-1",
        "parent_event_id": created["id"], "created_at": event["created_at"],
    }  # fmt: skip
    [_, kept] = api.get(events_path(intent)).json()["events"]
    assert kept == {**event, "position": kept["position"]}
    assert kept["position"] > created["position"]


@pytest.mark.rule("E-1")
@pytest.mark.parametrize(
    "change",
    [
        lambda: Event.objects.update(actor="somebody else"),
        lambda: Event.objects.all().delete(),
        lambda: Event.objects.first().delete(),
        lambda: Event.objects.filter(position__isnull=False).update(position=999),
        lambda: connection.cursor().execute("UPDATE intents_event SET payload = '{}'"),
        lambda: connection.cursor().execute("DELETE FROM intents_event"),
    ],
)
def test_database_refuses_to_change_an_event(api, make_intent, change):
    intent = make_intent()
    before = api.get(events_path(intent)).json()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()

    assert api.get(events_path(intent)).json() == before


@pytest.mark.rule("E-1")
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_no_route_changes_an_event(api, make_intent, method):
    intent = make_intent()

    for path in (events_path(intent), "/events"):
        response = api.send(method.upper(), path, {})
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.rule("E-2")
def test_sequences_have_no_gap(api, make_intent):
    intent, other = make_intent(), make_intent()
    api.post(f"{events_path(intent)}/batch", {"events": [{"event_type": "comment"}] * 3})
    api.post(events_path(other), {"event_type": "comment"})
    api.post(events_path(intent), {"event_type": "lease_acquired"})  # Refused.
    api.post(f"/intents/{intent['id']}/state", {"state": {"x": 1}}, version=1)

    events = api.get(events_path(intent)).json()["events"]

    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    assert api.get(f"/intents/{intent['id']}").json()["last_sequence"] == 5


@pytest.mark.rule("E-3")
def test_actor_of_an_event_is_the_agent_of_the_caller(agent, api, make_intent):
    intent = make_intent()

    agent("ada").post(events_path(intent), {"event_type": "comment", "actor": "mallory"})
    api.post(events_path(intent), {"event_type": "comment", "actor": "eve"})
    api.post(events_path(intent), {"event_type": "comment"})

    assert log(api, intent)[1:] == [("comment", "ada"), ("comment", "eve"), ("comment", "dev-user")]
    assert Event.objects.filter(key_id=None).count() == 0


@pytest.mark.rule("E-4")
@pytest.mark.parametrize("event_type", sorted(RESERVED))
def test_server_event_types_are_reserved(api, make_intent, event_type):
    intent = make_intent()

    single = api.post(events_path(intent), {"event_type": event_type})
    batch = api.post(f"{events_path(intent)}/batch", {"events": [{"event_type": "comment"}, {"event_type": event_type}]})

    for response in (single, batch):
        assert (response.status_code, response.json()["code"]) == (403, "reserved_event_type")
    assert log(api, intent) == [("intent_created", "dev-user")]


@pytest.mark.rule("E-4")
@pytest.mark.parametrize("event_type", ["a", "deploy.started", "x-1", "a" * 100])
def test_clients_log_any_other_event_type(api, make_intent, event_type):
    assert api.post(events_path(make_intent()), {"event_type": event_type}).status_code == 201


@pytest.mark.rule("E-4")
@pytest.mark.parametrize("event_type", ["", "A", "1a", "_a", "a b", "ä", "a" * 101, "a\n", 5, None])
def test_malformed_event_type_is_refused(api, make_intent, event_type):
    intent = make_intent()

    response = api.post(events_path(intent), {"event_type": event_type})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "event_type")
    assert len(log(api, intent)) == 1


@pytest.mark.rule("E-5")
def test_batch_keeps_its_order_and_returns_the_events(api, make_intent):
    intent = make_intent()
    batch = [{"event_type": "comment", "payload": {"n": number}} for number in range(50)]

    response = api.post(f"{events_path(intent)}/batch", {"events": batch})

    assert response.status_code == 201
    assert [event["payload"]["n"] for event in response.json()["events"]] == list(range(50))
    kept = api.get(events_path(intent), after=1).json()["events"]
    assert [event["id"] for event in kept] == [event["id"] for event in response.json()["events"]]
    assert [event["position"] for event in kept] == sorted(event["position"] for event in kept)


@pytest.mark.rule("E-5")
@pytest.mark.parametrize(
    "bad", [{"event_type": "NO"}, {}, 5, {"event_type": "comment", "parent_event_id": "0190d5b8-0000-7000-8000-000000000000"}]
)
def test_batch_with_one_invalid_event_writes_none(api, make_intent, bad):
    intent = make_intent()

    response = api.post(f"{events_path(intent)}/batch", {"events": [{"event_type": "comment"}, bad]})

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert len(log(api, intent)) == 1


def test_events_are_paged_by_sequence_in_either_order(api, make_intent):
    intent = make_intent()
    api.post(f"{events_path(intent)}/batch", {"events": [{"event_type": "comment"}] * 9})

    def walk(**query):
        found, page = [], api.get(events_path(intent), limit=3, **query).json()
        while True:
            found += [event["sequence"] for event in page["events"]]
            if not page["next"]:
                return found
            page = api.get(events_path(intent), limit=3, cursor=page["next"], **query).json()

    assert walk() == list(range(1, 11))
    assert walk(after=4) == list(range(5, 11))
    assert walk(order="desc") == list(range(10, 0, -1))
    assert walk(event_type="intent_created,other") == [1]


def test_events_of_all_intents_have_one_order(api, make_intent):
    first, second = make_intent(), make_intent()
    api.post(events_path(first), {"event_type": "comment", "trace_id": "t"})

    events = api.get("/events").json()["events"]
    positions = [event["position"] for event in events]

    assert [event["intent_id"] for event in events] == [first["id"], second["id"], first["id"]]
    assert positions == sorted(set(positions))
    assert api.get("/events", after=positions[1]).json()["events"] == events[2:]
    assert api.get("/events", trace_id="t").json()["events"] == events[2:]
    assert api.get("/events", event_type="intent_created").json()["events"] == events[:2]


def test_descending_order_lists_the_newest_events_first(api, make_intent):
    make_intent()
    make_intent()
    events = api.get("/events").json()["events"]

    assert api.get("/events", order="desc").json()["events"] == events[::-1]
    assert api.get("/events", order="desc", limit=1).json()["events"] == events[-1:]
    assert api.get("/events", order="down").json()["errors"][0]["field"] == "order"


@pytest.mark.rule("S-4")
def test_portfolio_and_agent_filters_match_their_streams(api, make_intent):
    joined, other = make_intent(), make_intent()
    portfolio = api.post("/portfolios", {"name": "Trip"}).json()["id"]
    api.post(f"/portfolios/{portfolio}/intents", {"intent_id": joined["id"]})
    api.post(f"/intents/{joined['id']}/agents", {"agent_id": "ada"})
    api.delete(f"/portfolios/{portfolio}/intents/{joined['id']}")
    api.post(events_path(joined), {"event_type": "comment"})
    api.delete(f"/intents/{joined['id']}/agents/ada")
    api.post(events_path(other), {"event_type": "comment"})

    def types(**topic):
        return [event["event_type"] for event in api.get("/events", **topic).json()["events"]]

    assert types(portfolio_id=portfolio.upper()) == [
        "portfolio_created", "added_to_portfolio", "agent_assigned", "removed_from_portfolio",
    ]  # fmt: skip
    assert types(agent_id="ada") == ["agent_assigned", "removed_from_portfolio", "comment", "agent_unassigned"]
    assert types(agent_id="ada", portfolio_id=portfolio) == ["agent_assigned", "removed_from_portfolio"]
    assert types(agent_id="nobody") == []


# --- pages of filters that no index serves ---------------------------------------------------------------------------


def walk(api, **query):
    """Return all events, and the number of them on each page."""
    found, sizes, cursor = [], [], None
    while cursor is not None or not sizes:
        page = api.get("/events", **query, **({"cursor": cursor} if cursor else {})).json()
        found += page["events"]
        sizes.append(len(page["events"]))
        cursor = page["next"]
    return found, sizes


@pytest.fixture
def shared_log(api, agent, make_intent):
    """40 events by two agents on two intents, of which one is ada's; two of them by bob."""
    hers, other = make_intent(assign=["ada"]), make_intent()
    for number in range(34):
        writer = agent("bob" if number in (3, 30) else "ada")
        writer.post(
            f"/intents/{(hers, other)[number % 2]['id']}/events", {"event_type": ("comment", "note", "found")[number % 3]}
        )
    return api.get("/events", limit=1000).json()["events"]


FILTERS = {
    "actor": ({"actor": "bob"}, lambda event, of: event["actor"] == "bob"),
    "since": ({"since": "2020-01-01T00:00:00Z"}, lambda event, of: True),
    "agent": ({"agent_id": "ada"}, lambda event, of: event["intent_id"] == of and event["event_type"] != "intent_created"),
    "types": ({"event_type": "note,found"}, lambda event, of: event["event_type"] in ("note", "found")),
    "actor and type": (
        {"actor": "bob", "event_type": "comment"},
        lambda event, of: (event["actor"], event["event_type"]) == ("bob", "comment"),
    ),
}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("after", [0, 5, 17, 10_000])
@pytest.mark.parametrize("name", FILTERS)
def test_page_goes_through_a_part_of_the_log(api, shared_log, monkeypatch, name, after, order):
    monkeypatch.setattr(event_views, "LOG_ENTRIES", 7)
    query, matches = FILTERS[name]
    hers = shared_log[0]["intent_id"]
    after = after and shared_log[0]["position"] + after

    for limit in (1, 3, 1000):
        found, sizes = walk(api, **query, order=order, after=after, limit=limit)

        expected = [event for event in shared_log if event["position"] > after and matches(event, hers)]
        assert found == (expected if order == "asc" else expected[::-1])
        assert max(sizes) <= min(limit, 7 + 1)
        assert len(sizes) <= len(expected) + len(shared_log) // 7 + 2


def test_indexed_filters_go_through_the_whole_log(api, shared_log, monkeypatch):
    monkeypatch.setattr(event_views, "LOG_ENTRIES", 7)

    for query in ({}, {"event_type": "note"}, {"trace_id": "t"}, {"event_type": "note", "offset": 2}):
        assert api.get("/events", **query, limit=1000).json()["next"] is None


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_offset_skips_within_the_part_of_the_log_that_a_page_goes_through(api, shared_log, monkeypatch, order):
    bobs = [event for event in shared_log if event["actor"] == "bob"]
    last = bobs[-1] if order == "asc" else bobs[0]

    assert api.get("/events", actor="bob", order=order, offset=1).json() == {"events": [last], "next": None}
    assert api.get("/events", actor="bob", order=order, offset=2).json() == {"events": [], "next": None}

    monkeypatch.setattr(event_views, "LOG_ENTRIES", 7)
    first = api.get("/events", actor="bob", order=order, offset=0).json()
    beyond = api.get("/events", actor="bob", order=order, offset=1)

    assert first == api.get("/events", actor="bob", order=order).json()
    assert (len(first["events"]), bool(first["next"])) == (1, True)
    assert (beyond.status_code, beyond.json()["errors"]) == (
        400,
        [
            {
                "field": "offset",
                "message": "reaches beyond the 7 events that a page goes through; leave it out and follow `next`",
                "code": "invalid",
            }
        ],
    )


@pytest.mark.parametrize("query", [{"after": 2**63 - 1}, {"cursor": "WzkyMjMzNzIwMzY4NTQ3NzU4MDdd"}])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_positions_beyond_the_log_find_what_is_there(api, shared_log, query, order):
    response = api.get("/events", actor="bob", order=order, **query)

    is_before = order == "desc" and "cursor" in query
    assert (response.status_code, len(response.json()["events"])) == (200, 2 if is_before else 0)


def test_filtered_log_refuses_a_cursor_that_is_none(api, shared_log):
    response = api.get("/events", actor="bob", cursor="nonsense")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "cursor")
