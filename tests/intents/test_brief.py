"""GET /intents/{id}/brief (rule I-8)."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intents.brief import write_brief
from intents.models import Intent
from tests.conftest import fresh, log, set_status

pytestmark = [pytest.mark.rule("I-8"), pytest.mark.database("sqlite", "postgresql")]


def brief(api, intent, **parameters):
    response = api.get(f"/intents/{intent['id']}/brief", **parameters)
    assert response.status_code == 200, response.json()
    return response.json()


def lines(found, kind):
    return [line for line in found["text"].splitlines() if line.startswith(f"{kind}: ")]


def patch(api, intent, state):
    response = api.post(f"/intents/{intent['id']}/state", {"state": state}, version=fresh(api, intent)["version"])
    assert response.status_code == 200, response.json()


def test_brief_tells_each_fact_with_its_event(api, agent, make_intent):
    intent = make_intent(title="Analyze feedback", description="Of Q4", state={"progress": 0}, assign="ada")
    ada, path = agent("ada"), f"/intents/{intent['id']}"
    set_status(api, intent, "active", reason="Ready")
    patch(api, intent, {"found": ["slow"]})
    ada.post(f"{path}/leases", {"scope": "found"})
    asked = ada.post(f"{path}/arbitrate", {"reason": "Publish?", "options": ["yes", "no"]}).json()
    decided = ada.post(f"{path}/arbitrate", {"reason": "Start?"}).json()
    api.post(f"{path}/decisions", {"decision": "go", "rationale": "Cheap", "arbitration_id": decided["id"]})
    ada.post(f"{path}/failures", {"error_type": "timeout"})
    ada.post(f"{path}/events", {"event_type": "comment", "payload": {"text": "Two\nlines"}})

    found = brief(api, intent)

    assert (found["intent_id"], found["sequence"]) == (intent["id"], len(log(api, intent)))
    assert lines(found, "goal") == ["goal: Analyze feedback: Of Q4 [#1]"]
    [status] = lines(found, "status")
    assert re.fullmatch(r"status: active, version 3, since \S+Z by dev-user: Ready \[#3\]", status)
    assert lines(found, "state") == ["state: progress = 0 [#1]", 'state: found = ["slow"] [#4]']
    assert lines(found, "agent") == ["agent: ada, worker [#2]"]
    assert lines(found, "question") == [
        f"question: Publish? (by ada, options yes, no; arbitration {asked['id']}) [#6]",
    ]
    assert lines(found, "decision") == ["decision: go, by dev-user: Cheap [#8]"]
    assert re.fullmatch(r"lease: found held by ada until \S+Z \[#5\]", lines(found, "lease")[0])
    assert len(lines(found, "failure")) == 1
    assert lines(found, "event")[-1].endswith("comment by ada text=Two lines [#10]")
    assert set(found["left_out"].values()) == {0}


def test_ended_leases_and_questions_are_left_out(api, agent, make_intent):
    intent = make_intent()
    ada, path = agent("ada"), f"/intents/{intent['id']}"
    lease = ada.post(f"{path}/leases", {"scope": "found"}).json()
    ada.delete(f"{path}/leases/{lease['id']}")
    asked = ada.post(f"{path}/arbitrate", {"reason": "Publish?"}).json()
    ada.post(f"/arbitrations/{asked['id']}/withdraw", {})

    found = brief(api, intent)

    assert not lines(found, "lease")
    assert not lines(found, "question")


def test_since_leaves_out_what_is_older_and_counts_it(api, agent, make_intent):
    intent = make_intent(state={"a": 1})
    agent("ada").post(f"/intents/{intent['id']}/arbitrate", {"reason": "Publish?"})
    seen = brief(api, intent)["sequence"]
    patch(api, intent, {"b": 2})
    moment = api.get(f"/intents/{intent['id']}/events", after=seen).json()["events"][0]["created_at"]

    for since in (seen, moment):
        found = brief(api, intent, since=since)
        assert lines(found, "state") == ["state: b = 2 [#3]"]
        assert lines(found, "question")
        assert len(lines(found, "event")) == 1
        assert (found["left_out"]["event"], found["left_out"]["state"]) == (2, 1)
        assert lines(found, "left out") == ["left out: state 1, event 2 [#3]"]


@pytest.mark.parametrize(
    "parameters",
    [{"max_chars": 499}, {"max_chars": 20_001}, {"max_chars": "all"}, {"since": "yesterday"}, {"since": -1}, {"chars": 500}],
)
def test_invalid_parameter_is_refused(api, make_intent, parameters):
    response = api.get(f"/intents/{make_intent()['id']}/brief", **parameters)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, next(iter(parameters)))


def test_unknown_intent_has_no_brief(api):
    assert api.get("/intents/0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21/brief").status_code == 404


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=600).filter(str.strip)
keys = st.text("abc/~.é", min_size=1, max_size=3)
actions = st.one_of(
    st.tuples(st.just("state"), st.dictionaries(keys, texts | st.integers(0, 9), min_size=1, max_size=3)),
    st.tuples(st.just("lease"), st.sampled_from(["a", "b.c", "file:src/app.py"])),
    st.tuples(st.just("release"), st.just(None)),
    st.tuples(st.just("ask"), texts),
    st.tuples(st.just("decide"), texts),
    st.tuples(
        st.just("log"), st.dictionaries(st.sampled_from(["text", "patches", "changes", "lease_id"]), texts | st.lists(texts))
    ),
    st.tuples(st.just("fail"), texts.map(lambda text: text[:90])),
)


def act(api, ada, intent, action, value):
    path = f"/intents/{intent['id']}"
    match action:
        case "state":
            api.post(f"{path}/state", {"state": value}, version=fresh(api, intent)["version"])
        case "lease":
            ada.post(f"{path}/leases", {"scope": value})
        case "release":
            for lease in ada.get(f"{path}/leases", status="active").json()["leases"]:
                ada.delete(f"{path}/leases/{lease['id']}")
        case "ask":
            ada.post(f"{path}/arbitrate", {"reason": value, "options": ["yes", value[:50]]})
        case "decide":
            api.post(f"{path}/decisions", {"decision": value, "rationale": value})
        case "log":
            ada.post(f"{path}/events", {"event_type": "comment", "payload": value})
        case "fail":
            ada.post(f"{path}/failures", {"error_type": value, "error_message": value})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    title=texts.map(lambda text: text[:400]),
    history=st.lists(actions, max_size=12),
    max_chars=st.integers(500, 3_000),
    since=st.none() | st.integers(0, 20),
)
def test_any_brief_is_bounded_repeatable_and_cites_its_events(api, agent, make_intent, title, history, max_chars, since):
    intent = api.post("/intents", {"title": title, "description": title * 3}).json()
    if "id" not in intent:
        return
    ada = agent("ada")
    for action, value in history:
        act(api, ada, intent, action, value)

    found = brief(api, intent, max_chars=max_chars, **({} if since is None else {"since": since}))

    assert len(found["text"]) <= max_chars
    for line in found["text"].splitlines():
        cited = re.search(r" \[#(\d+)\]\Z", line)
        assert cited, line
        assert 1 <= int(cited[1]) <= found["sequence"] == fresh(api, intent)["last_sequence"]
    row = Intent.objects.get(pk=intent["id"])
    assert write_brief(row, max_chars=max_chars, since=since).text == found["text"]
    for each in ("state", "question", "decision", "lease", "failure", "event"):
        assert found["left_out"][each] >= 0


def test_brief_of_an_earlier_reading_stays_the_same_when_the_log_grows(api, agent, make_intent):
    intent = make_intent(state={"a": 1}, assign="ada")
    ada = agent("ada")
    ada.post(f"/intents/{intent['id']}/leases", {"scope": "a"})
    earlier = Intent.objects.get(pk=intent["id"])
    before = write_brief(earlier)

    act(api, ada, intent, "release", None)
    act(api, ada, intent, "log", {"text": "more"})

    assert write_brief(earlier) == before


@pytest.mark.rule("I-8")
def test_brief_tells_the_answer_to_a_typed_question(api, agent, make_intent):
    intent = make_intent()
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
    agent("ada").post(f"/intents/{intent['id']}/arbitrate", {"reason": "How much?", "response_schema": schema})
    assert api.post(f"/intents/{intent['id']}/decisions", {"answer": {"amount": 12.5}}).status_code == 201

    assert lines(brief(api, intent), "decision") == ['decision: answered {"amount":12.5}, by dev-user: no reason given [#3]']
