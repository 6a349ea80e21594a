"""Timeline page of an intent: lanes, the trace of calls, ranges of time."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils.html import strip_tags

from console.intents import timeline
from core.ids import new_id
from intents.models import Event, Intent

NASTY = "<script>alert(1)</script>"


def load(person, intent, **query):
    response = person.get(f"intents/intent/{intent['id']}/timeline/", query)
    assert response.status_code == 200
    return response.text


def rows(text):
    """The cells of the table, as text."""
    body = text.partition('<table class="oi-table oi-trace">')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [" ".join(strip_tags(cell).split()) for cell in re.findall(r"<t[dh][ >].*?</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
    ]


def by_name(text):
    return {row[1]: row[2:] for row in rows(text)}


@pytest.fixture
def vera(person):
    return person("viewer")


@pytest.fixture
def logs(agent):
    """`logs(intent, "llm_request_started", request_id="a")`: an event of ada's."""

    def append(intent, event_type, **payload):
        answer = agent("ada").post(f"/intents/{intent['id']}/events", {"event_type": event_type, "payload": payload})
        assert answer.status_code == 201, answer.json()

    return append


def call(logs, intent, key, **ends):
    logs(intent, "llm_request_started", request_id=key, provider="openai", model="gpt-5")
    tokens = {"prompt_tokens": 1200, "completion_tokens": 34, "total_tokens": 1234}
    logs(intent, "llm_request_completed", request_id=key, provider="openai", model="gpt-5", duration_ms=2500, **tokens, **ends)


# --- lanes ------------------------------------------------------------------------------------------------------------


def test_page_has_versions_leases_questions_retries_and_events(api, agent, vera, ask, make_intent):
    intent = make_intent(title="Migrate", assign="ada")
    path = f"/intents/{intent['id']}"
    lease = agent("ada").post(f"{path}/leases", {"scope": "schema"}).json()
    agent("ada").delete(f"{path}/leases/{lease['id']}")
    agent("ada").post(f"{path}/leases", {"scope": "data"})
    agent("ada").post(f"{path}/failures", {"error_type": "timeout"})
    asked = ask("Really?", intent=intent)
    api.post(f"{path}/decisions", {"arbitration_id": asked["id"], "decision": "Yes", "rationale": "Tested"})
    ask("And then?", intent=intent)
    api.post(f"{path}/events", {"event_type": "comment", "payload": {"text": "soon"}})

    text = load(vera, intent)

    found = by_name(text)
    assert found["Leases schema"][-1] == "Released"
    assert found["Leases data"][-1] == "Active"
    assert found["Questions Really?"][-1] == "Decided: Yes"
    assert found["Questions And then?"][-1] == "Pending"
    assert any(name.startswith("Versions version 1 intent_created") for name in found)
    assert any(name.startswith("Assignments and retries failure_recorded") for name in found)
    assert found["Other events comment soon"][0] == "dev-user"
    assert f"/admin/leasing/lease/{lease['id']}/change/" in text
    assert f"/admin/governance/arbitration/{asked['id']}/change/" in text
    assert text.count('class="oi-lane"') == 5


def test_model_calls_are_joined_with_duration_tokens_and_costs(agent, vera, logs, make_intent):
    intent = make_intent()
    call(logs, intent, "r-1", finish_reason="stop")
    cost = {"cost_type": "api_call", "amount": "0.0123", "unit": "USD", "metadata": {"request_id": "r-1"}}
    assert agent("ada").post(f"/intents/{intent['id']}/costs", cost).status_code == 201
    other = {"cost_type": "storage", "amount": 3, "unit": "gigabytes"}
    assert agent("ada").post(f"/intents/{intent['id']}/costs", other).status_code == 201

    text = load(vera, intent)

    found = by_name(text)
    assert found["Model calls gpt-5 openai"] == ["ada", "2.5s", "1,234 1,200 in, 34 out", "$0.0123", "Completed"]
    assert found["Other costs storage"] == ["ada", "", "", "3 gigabytes", ""]
    assert "1 model call · 1,234 tokens · $0.0123" in " ".join(strip_tags(text).split())


def test_calls_that_fail_are_cancelled_or_have_not_ended_say_so(vera, logs, make_intent):
    intent = make_intent()
    for key in ("failed", "left", "broken", "open"):
        logs(intent, "llm_request_started", request_id=key, model=key)
    logs(intent, "llm_request_failed", request_id="failed", model="failed", error="429 too many", duration_ms=40)
    logs(intent, "stream_started", stream_id="left", model="left")
    logs(intent, "stream_cancelled", stream_id="left", model="left", reason="closed")
    logs(intent, "stream_cancelled", stream_id="broken", reason="reset")
    logs(intent, "llm_request_failed", request_id="broken", error="reset", duration_ms=7)
    logs(intent, "tool_call_started", tool_id="t", tool_name="search")
    logs(intent, "tool_call_completed", tool_id="t", tool_name="search", duration_ms=125)
    logs(intent, "tool_call_started", tool_id="u", tool_name="fetch")
    logs(intent, "llm_request_completed", request_id="begun elsewhere", model="late", duration_ms=60_000)

    found = by_name(load(vera, intent, lane="trace"))

    results = {name.removeprefix("Model calls ").removeprefix("Tool calls "): cells[-1] for name, cells in found.items()}
    assert results == {
        "failed": "Failed: 429 too many", "left": "Cancelled: closed", "broken": "Failed: reset", "open": "Not ended",
        "search": "Completed", "fetch": "Requested", "late": "Completed",
    }  # fmt: skip
    assert found["Tool calls search"][1] == "125 ms"
    assert found["Model calls late"][1] == "1m 00s"


@pytest.mark.parametrize(
    "payload",
    [
        {"duration_ms": -5, "total_tokens": -1, "occurred_at": "yesterday"},
        {"duration_ms": 1e300, "total_tokens": 10**15, "occurred_at": "9999-12-31T23:59:59Z"},
        {"duration_ms": "1", "total_tokens": True, "occurred_at": 5},
        {"duration_ms": None, "model": {"a": 1}, "error": {"a": [1]}, "provider": 7},
        {"request_id": {"a": 1}, "occurred_at": "0001-01-01T00:00:00+14:00"},
    ],
    ids=["negative", "huge", "types", "objects", "early"],
)
def test_any_payload_of_a_client_is_shown(vera, logs, make_intent, payload):
    intent = make_intent()
    for end in ("started", "completed", "failed"):
        logs(intent, f"llm_request_{end}", **{"request_id": "a", **payload})
        logs(intent, f"tool_call_{end}", **{"tool_id": "a", **payload})

    assert len(rows(load(vera, intent, lane="trace"))) >= 2


def test_markup_in_user_text_is_escaped(agent, vera, ask, logs, make_intent):
    intent = make_intent(title=NASTY, assign=NASTY)
    for end in ("started", "failed"):
        logs(intent, f"llm_request_{end}", request_id=NASTY, model=NASTY, provider=NASTY, error=NASTY)
        logs(intent, f"tool_call_{end}", tool_id=NASTY, tool_name=NASTY, error=NASTY)
    agent("ada").post(f"/intents/{intent['id']}/leases", {"scope": "a/<b>"})
    agent("ada").post(f"/intents/{intent['id']}/costs", {"cost_type": NASTY, "amount": 1, "unit": "<i>"})
    ask(NASTY, intent=intent)

    text = load(vera, intent)

    assert not any(each in text for each in (NASTY, "<b>a", "a/<b>", "<i>"))
    assert text.count("&lt;script&gt;") > 8


# --- ranges -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def long_log(make_intent):
    """An intent with 900 events, one a minute until an hour ago, and when it was created."""
    row = Intent.objects.filter(pk=make_intent()["id"]).values().get()
    began, minute = row["created_at"] - timedelta(minutes=960), timedelta(minutes=1)
    pk, last = new_id(), began + 900 * minute
    Intent.objects.create(**{**row, "id": pk, "created_at": began, "last_sequence": 900, "last_event_at": last})
    Event.objects.bulk_create(
        Event(intent_id=pk, sequence=number, position=1_000_000 + number, event_type="progress", actor="ada",
              payload={"number": number}, created_at=began + number * minute)
        for number in range(1, 901)
    )  # fmt: skip
    return {"id": str(pk)}, began


def numbers(text):
    return [int(row[1].rpartition(" ")[2]) for row in rows(text) if "number:" in row[1]]


def test_long_log_is_read_in_pages(vera, long_log):
    intent, _ = long_log
    newest = load(vera, intent)
    older = re.search(r'rel="next" href="\?([^"]*)"', newest)[1]

    following = vera.get(f"intents/intent/{intent['id']}/timeline/?{older}").text

    assert numbers(newest) == [*range(900, 500, -1)]
    assert numbers(following) == [*range(500, 100, -1)]
    assert "These are the newest 400 events of this time." in newest


def test_range_shows_what_happened_in_it_and_links_lead_on(vera, long_log):
    intent, began = long_log
    minute = timedelta(minutes=1)

    text = load(vera, intent, **{"from": (began + 10 * minute).isoformat(), "to": (began + 20 * minute).isoformat()})

    assert numbers(text) == [*range(20, 9, -1)]
    closer = re.search(r'href="\?([^"]*)">Zoom in', text)[1].replace("&amp;", "&")
    assert numbers(vera.get(f"intents/intent/{intent['id']}/timeline/?{closer}").text) == [17, 16, 15, 14, 13]
    wider = re.search(r'href="\?([^"]*)">Zoom out', text)[1].replace("&amp;", "&")
    assert numbers(vera.get(f"intents/intent/{intent['id']}/timeline/?{wider}").text) == [*range(25, 4, -1)]


def test_empty_range_says_so(vera, long_log):
    intent, _ = long_log
    assert "Nothing happened in this time." in load(vera, intent, **{"from": "2001-01-01T00:00", "to": "2001-01-02T00:00"})


def test_links_of_the_earliest_range_lead_to_ranges(vera, long_log):
    path = f"intents/intent/{long_log[0]['id']}/timeline/"
    text = vera.get(path, {"from": "2000-01-01T00:00Z", "to": "2020-01-01T00:00Z"}).text

    found = [unescape(each) for each in re.findall(r'href="(\?[^"]*(?:from|to)=[^"]*)"', text)]

    assert len(found) >= 3
    assert {vera.get(path + each).status_code for each in found} == {200}


def test_payloads_that_are_too_large_together_end_the_page(vera, logs, make_intent, monkeypatch):
    intent = make_intent()
    for number in range(6):
        logs(intent, "comment", text="x" * 5_000, number=number)
    monkeypatch.setattr(timeline, "MAX_BYTES", 12_000)

    text = load(vera, intent)

    assert len(rows(text)) == 2
    assert "Older events" in text


def test_the_page_costs_the_same_queries_whatever_there_is(agent, vera, ask, logs, make_intent):
    intent = make_intent()
    path = f"intents/intent/{intent['id']}/timeline/"
    before = vera.queries(path)

    for number in range(6):
        call(logs, intent, f"r-{number}")
        agent("ada").post(f"/intents/{intent['id']}/leases", {"scope": f"part{number}"})
        agent("ada").post(f"/intents/{intent['id']}/costs", {"cost_type": "tokens", "amount": 1, "unit": "USD"})
        ask("Which one?", intent=intent)

    assert vera.queries(path) == before <= 12


def test_people_without_a_role_and_unknown_parameters_are_refused(client, person, vera, make_intent):
    path = f"intents/intent/{make_intent()['id']}/timeline/"

    assert client.get(f"/admin/{path}").status_code == 302
    assert person(None, "nora").get(path).status_code in (302, 403)
    assert vera.get(path, {"form": "2026"}).status_code == 400
    assert vera.client.post(f"/admin/{path}").status_code == 405
    for value in ("zzz", "\0", "9" * 30, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "0"):
        for name, status in {"from": 400, "to": 400, "before": 200, "lane": 200}.items():
            assert vera.get(path, {name: value}).status_code == status, (name, value)


def test_a_range_that_is_none_says_what_is_wrong(vera, make_intent):
    path = f"intents/intent/{make_intent()['id']}/timeline/"

    assert "“From” is no date: &#x27;yesterday&#x27;." in vera.get(path, {"from": "yesterday"}).text
    assert "“To” is out of range" in vera.get(path, {"to": "9999-12-31T23:59:59-14:00"}).text
    assert "The newest events are shown." in vera.get(path, {"from": "yesterday"}).text
    backwards = vera.get(path, {"from": "2026-11-30T10:00", "to": "2026-11-29T10:00"})
    assert (backwards.status_code, "“From” is not before “To”." in backwards.text) == (400, True)
