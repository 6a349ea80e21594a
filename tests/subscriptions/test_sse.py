"""Server-Sent Events, from a server process (rules S-1, S-2, S-4)."""

import orjson
import pytest

from tests.subscriptions.stream_readers import Stream, answered, following
from tests.system.concurrent_clients import Http

pytestmark = pytest.mark.full


@pytest.fixture
def http(server):
    with Http(server) as client:
        yield client


def comment(http, intent, text="Hello"):
    answer = http.post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"text": text}})
    assert answer.status == 201, answer
    return answer.body


@pytest.mark.rule("S-1")
def test_stream_starts_with_its_position_then_sends_events_of_the_log(server, http):
    intent = http.create()
    before = http.get("/events?limit=1000&after=0").body["events"][-1]["position"]
    with answered(server, f"/intents/{intent['id']}/subscribe") as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Cache-Control"] == "private, no-store, no-transform"
        assert response.headers["X-Request-ID"]
    with following(server, f"/intents/{intent['id']}/subscribe") as (stream, start):
        assert start >= before

        comment(http, intent)

        event = stream.event()
    assert event == http.events(intent["id"])[-1]
    assert event["payload"] == {"text": "Hello"}


@pytest.mark.rule("S-1")
def test_the_first_frame_is_one_that_a_browser_understands(server, http):
    intent = http.create()

    with answered(server, f"/intents/{intent['id']}/subscribe?after=0") as response:
        lines = [response.readline() for _ in range(5)]

    assert lines == [b"retry: 2000\n", b"id: 0\n", b"event: connected\n", b'data: {"position":0}\n', b"\n"]


@pytest.mark.rule("S-2")
def test_without_a_position_a_stream_starts_now(server, http):
    intent = http.create()
    comment(http, intent, "before")

    with following(server, f"/intents/{intent['id']}/subscribe") as (stream, _):
        comment(http, intent, "after")

        assert stream.event()["payload"] == {"text": "after"}


@pytest.mark.rule("S-2")
@pytest.mark.parametrize("how", ["parameter", "header", "both"])
def test_with_a_position_it_starts_after_that_event(server, http, how):
    intent = http.create()
    for number in range(3):
        comment(http, intent, str(number))
    seen = http.events(intent["id"])[1]["position"]
    path = f"/intents/{intent['id']}/subscribe"
    query = {"parameter": f"?after={seen}", "header": "", "both": "?after=0"}[how]
    headers = {} if how == "parameter" else {"last_event_id": str(seen)}

    with following(server, path + query, **headers) as (stream, start):
        comment(http, intent, "new")
        events = stream.events(3)

    assert start == seen
    assert [event["payload"]["text"] for event in events] == ["1", "2", "new"]


@pytest.mark.rule("S-2")
def test_from_0_everything_is_replayed(server, http):
    intent = http.create()
    for number in range(250):  # More than is read from the log at once.
        comment(http, intent, str(number))

    with following(server, f"/intents/{intent['id']}/subscribe?after=0") as (stream, _):
        assert stream.events(251) == http.events(intent["id"])


@pytest.mark.rule("S-2")
def test_a_reader_of_a_log_that_was_set_back_is_told(server, http):
    for asked, is_reset in ((2**62, True), (0, False)):
        with answered(server, f"/events/subscribe?after={asked}") as response:
            frame = Stream(response).next()
            assert frame
            assert frame.json.get("reset", False) is is_reset


@pytest.mark.rule("S-2")
def test_a_position_that_the_log_has_not_reached_is_taken_as_now(server, http):
    intent = http.create()

    with following(server, f"/intents/{intent['id']}/subscribe?after={2**62}") as (stream, start):
        comment(http, intent)

        assert stream.event()["position"] > start


@pytest.mark.rule("S-1")
def test_stream_can_be_filtered_by_event_type(server, http):
    intent = http.create()
    path = f"/intents/{intent['id']}/subscribe?event_type=state_patched,%20status_changed"

    with following(server, path + "&after=0") as (old, _), following(server, path) as (new, _):
        comment(http, intent)
        patched = http.post(
            f"/intents/{intent['id']}/state", {"patches": [{"op": "set", "path": "a", "value": 1}]}, version=1
        ).body
        http.complete(patched)

        assert [event["event_type"] for event in new.events(2)] == ["state_patched", "status_changed"]
        assert [event["event_type"] for event in old.events(2)] == ["state_patched", "status_changed"]


@pytest.mark.rule("S-4")
def test_all_events_are_followed_at_once(server, http):
    with following(server, "/events/subscribe") as (stream, _):
        one, other = http.create(), http.create()
        comment(http, one)

        heard = [stream.event() for _ in range(3)]

    assert [(event["intent_id"], event["sequence"]) for event in heard] == [(one["id"], 1), (other["id"], 1), (one["id"], 2)]


@pytest.mark.rule("S-4")
@pytest.mark.parametrize("after", ["", "?after=0"])
def test_portfolio_stream_has_events_of_members_while_they_are(server, http, after):
    portfolio = http.post("/portfolios", {"name": "Launch"}).body
    intent = http.create()
    path = f"/portfolios/{portfolio['id']}"
    told = []

    def live():
        comment(http, intent, "not yet")
        http.post(f"{path}/intents", {"intent_id": intent["id"]})
        comment(http, intent, "member")
        http.delete(f"{path}/intents/{intent['id']}")
        comment(http, intent, "no more")
        http.post(f"{path}/intents", {"intent_id": intent["id"]})
        comment(http, intent, "again")
        http.patch(f"{path}/status", {"status": "completed"})

    if after:
        live()
    with following(server, f"{path}/subscribe{after}") as (stream, _):
        if not after:
            live()
        while not told or told[-1] != "portfolio_status_changed":
            event = stream.event()
            told.append(event["payload"].get("text", event["event_type"]))

    assert told == [
        *(["portfolio_created"] if after else []),
        "added_to_portfolio", "member", "removed_from_portfolio", "added_to_portfolio", "again", "portfolio_status_changed",
    ]  # fmt: skip


@pytest.mark.rule("S-4")
@pytest.mark.parametrize("after", ["", "?after=0"])
def test_an_agent_is_told_of_its_assignments_and_of_the_intents_it_has(server, http, after):
    agent = f"ada/{'replayed' if after else 'live'}"
    intent = http.create()
    told = []

    def live():
        comment(http, intent, "not yet")
        http.post(f"/intents/{intent['id']}/agents", {"agent_id": agent})
        comment(http, intent, "mine")
        http.post(f"/intents/{intent['id']}/agents", {"agent_id": agent, "role": "lead"})
        http.delete(f"/intents/{intent['id']}/agents/{agent}")
        comment(http, intent, "no more")
        http.create(title="Another", assign=[agent])

    if after:
        live()
    with following(server, f"/agents/{agent}/subscribe{after}") as (stream, _):
        if not after:
            live()
        while len(told) < 5:
            event = stream.event()
            told.append(event["payload"].get("text", event["event_type"]))

    assert told == ["agent_assigned", "mine", "agent_assigned", "agent_unassigned", "agent_assigned"]


@pytest.mark.rule("S-1")
def test_the_other_spelling_is_the_same(server, http):
    intent, portfolio = http.create(), http.post("/portfolios", {"name": "Launch"}).body
    http.post(f"/intents/{intent['id']}/agents", {"agent_id": "spelt"})

    with (
        following(server, f"/subscribe/intents/{intent['id']}?after=0") as (one, _),
        following(server, f"/subscribe/portfolios/{portfolio['id']}?after=0") as (other, _),
        following(server, "/subscribe/agents/spelt?after=0") as (third, _),
    ):
        assert one.event()["event_type"] == "intent_created"
        assert other.event()["event_type"] == "portfolio_created"
        assert third.event()["event_type"] == "agent_assigned"


@pytest.mark.parametrize(
    ("path", "key", "headers", "status", "code"),
    [
        ("/events/subscribe", "", {}, 401, "unauthenticated"),
        ("/events/subscribe", "wrong", {}, 401, "unauthenticated"),
        ("/intents/00000000-0000-7000-8000-000000000000/subscribe", "dev-user-key", {}, 404, "not_found"),
        ("/intents/nonsense/subscribe", "dev-user-key", {}, 404, "not_found"),
        ("/portfolios/00000000-0000-7000-8000-000000000000/subscribe", "dev-user-key", {}, 404, "not_found"),
        ("/events/subscribe?after=-1", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?after=x", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?after=", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?after=9999999999999999999", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?event_type=", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?event_type=a,,b", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?event_type=a%0bb", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?event_types=comment", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe?limit=1", "dev-user-key", {}, 400, "invalid"),
        ("/events/subscribe", "dev-user-key", {"last_event_id": "abc"}, 400, "invalid"),
        ("/events/subscribe", "dev-user-key", {"x_agent_id": "system\x7f"}, 400, "invalid"),
    ],
)
def test_invalid_stream_request_is_a_problem(server, path, key, headers, status, code):
    with answered(server, path, key=key, **headers) as response:
        assert response.status == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert orjson.loads(response.read())["code"] == code
