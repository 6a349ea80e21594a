"""The log in the console, and the versions of an intent that it tells of."""

import re
from datetime import UTC, datetime, time, timedelta
from functools import partial
from html import unescape
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext

from console.event_log import pages as log_pages
from console.intents import versions
from console.reader_zone import COOKIE
from core.ids import first_id_at
from intents import positions
from intents.models import Event, Intent
from tests.conftest import set_status

from .intents import page, patch

# --- versions ---------------------------------------------------------------------------------------------------------


def changes(response):
    cells = re.findall(r"<tr><td>(.*?)</td><th[^>]*>(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>", response.text, re.DOTALL)
    return [tuple(re.sub(r"<[^>]*>", "", cell) for cell in row) for row in cells]


@pytest.mark.rule("E-6")
def test_each_version_shows_its_changes_actor_and_state(api, agent, person, make_intent):
    intent = make_intent(state={"kept": 1, "list": ["a"]})
    patch(api, intent, {"op": "set", "path": "/deep/er", "value": "new"}, {"op": "append", "path": "list", "value": "b"})
    patch(agent("ada"), intent, {"op": "set", "path": "kept", "value": 2}, {"op": "remove", "path": "/list/0"})
    set_status(api, intent, "active")
    vera = person("viewer")

    second, third, fourth = (page(vera, intent, version=number) for number in (2, 3, 4))

    assert changes(second) == [("added", "list[1]", "", "b"), ("added", "deep", "", "{&quot;er&quot;:&quot;new&quot;}")]
    assert ("changed", "kept", "1", "2") in changes(third)
    assert ("removed", "list[1]", "b", "") in changes(third)
    assert re.search("· <a [^>]*>ada</a>", third.text)
    assert changes(fourth) == [("changed", "status", "draft", "active")]
    assert versions.load_version(Intent.objects.get(), "3", "").state == {"kept": 2, "list": ["b"], "deep": {"er": "new"}}


@pytest.mark.rule("E-6")
def test_the_newest_version_is_the_intent_itself(api, person, make_intent):
    first = make_intent()
    intent = make_intent(depends_on=[first["id"]], state={"a": [1, {"b": None}]})
    patch(api, intent, {"op": "set", "path": "/a/1/b", "value": 1.5})
    api.delete(f"/intents/{intent['id']}/dependencies/{first['id']}", version=2)
    stored = Intent.objects.get(pk=intent["id"])

    newest = versions.load_version(stored, str(stored.version), "")

    assert newest.state == stored.state
    assert {each.path for each in newest.fields} == {"status", "depends_on[0]"}


@pytest.mark.parametrize("asked", ["0", "99", "-1", "x", "²", "9" * 30])
def test_a_version_that_is_none_shows_the_state_as_it_is(person, make_intent, asked):
    assert "at version" not in page(person("viewer"), make_intent(), version=asked).text


def test_versions_too_far_back_to_be_replayed_still_say_what_they_changed(api, person, make_intent, monkeypatch):
    monkeypatch.setattr(versions, "MAX_EVENTS", 4)
    intent = make_intent()
    for number in range(8):
        patch(api, intent, {"op": "set", "path": "progress", "value": f"step {number}"})
    vera = person("viewer")
    link = re.search(r'href="\?version=9&amp;at=(\d+)#state"', page(vera, intent).text)

    told = page(vera, intent, version=9, at=link[1]).text

    assert "More than 2,000 changes precede this version" in told
    assert "progress = step 7" in told


def test_versions_are_paged_and_each_is_numbered_also_by_a_long_event(api, person, make_intent, monkeypatch):
    monkeypatch.setattr("console.intents.page.VERSIONS", 2)
    intent = make_intent()
    patch(api, intent, {"op": "set", "path": "long", "value": "x" * 5000})
    patch(api, intent, {"op": "set", "path": "short", "value": '"version":77}'})
    vera = person("viewer")

    first = page(vera, intent).text
    older = re.search(r'href="(\?versions=\d+)#state"', first)

    assert re.findall(r"\?version=(\d+)&amp;at", first) == ["3", "2"]
    assert re.findall(r"\?version=(\d+)&amp;at", vera.get(f"intents/intent/{intent['id']}/change/{older[1]}").text) == ["1"]


# --- the log ----------------------------------------------------------------------------------------------------------


def events(response):
    return re.findall(r'class="oi-event-type"[^>]*>([^<]*)<', response.text)


def test_an_intent_s_log_is_read_back_page_by_page_and_narrowed(api, agent, person, make_intent, monkeypatch):
    monkeypatch.setattr("console.intents.page.EVENTS", 3)
    intent = make_intent()
    for number in range(4):
        agent("ada").post(f"/intents/{intent['id']}/events", {"event_type": f"step_{number}", "payload": {"n": number}})
    vera = person("viewer")

    first = page(vera, intent)
    older = re.search(r'rel="next" href="\?before=(\d+)', first.text)

    assert events(first) == ["step_3", "step_2", "step_1"]
    assert events(page(vera, intent, before=older[1])) == ["step_0", "intent_created"]
    assert events(page(vera, intent, type="step_2")) == ["step_2"]
    assert events(page(vera, intent, actor="ada", type="intent_created")) == []


def test_the_whole_log_is_narrowed_by_type_actor_intent_and_portfolio(api, agent, person, make_intent):
    one, other = make_intent(title="One"), make_intent(title="Other")
    house = api.post("/portfolios", {"name": "House"}).json()
    api.post(f"/portfolios/{house['id']}/intents", {"intent_id": one["id"]})
    for intent in (one, other):
        agent("ada").post(
            f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"text": f"on {intent['title']}"}}
        )
    vera = person("viewer")

    def read(**query):
        return events(vera.get("intents/event/", query))

    assert read(type="comment") == ["comment", "comment"]
    assert read(actor="ada") == ["comment", "comment"]
    assert read(intent=other["id"]) == ["comment", "intent_created"]
    assert read(portfolio=house["id"]) == ["comment", "added_to_portfolio", "portfolio_created"]
    assert read(intent="nonsense") == read(portfolio="nonsense") == read(actor="no\0body") == []
    assert read() == ["comment", "comment", "added_to_portfolio", "portfolio_created", "intent_created", "intent_created"]


def test_a_filter_looks_through_so_many_events_and_says_where_it_stopped(api, person, make_intent, monkeypatch):
    monkeypatch.setattr(log_pages, "WINDOW", 5)
    intent = make_intent()
    for number in range(8):
        api.post(f"/intents/{intent['id']}/events", {"event_type": "step", "payload": {"n": number}})
    vera = person("viewer")

    first = page(vera, intent, type="intent_created")
    older = re.search(r'rel="next" href="\?(.*?)#log"', first.text)[1].replace("&amp;", "&")

    assert events(first) == []
    assert "Older events may match too" in first.text
    assert events(vera.get(f"intents/intent/{intent['id']}/change/?{older}")) == ["intent_created"]


def test_the_log_is_never_counted(person, make_intent):
    make_intent()
    with CaptureQueriesContext(connection) as found:
        person("viewer").get("intents/event/")

    assert not [query for query in found.captured_queries if "COUNT(" in query["sql"].upper()]


def test_a_long_payload_is_cut_in_the_list_and_whole_on_its_own_page(api, person, make_intent):
    intent = make_intent()
    event = api.post(
        f"/intents/{intent['id']}/events", {"event_type": "long", "payload": {"text": "y" * 5000 + " the end"}}
    ).json()
    vera = person("viewer")
    shown = page(vera, intent, type="long").text
    link = re.search(r'href="(/admin/intents/event/\d+/change/)">View full payload', shown)

    assert "the end" not in shown
    alone = vera.client.get(link[1]).text
    assert "the end" in alone
    assert event["id"] in alone


def test_event_of_a_portfolio_names_it_and_leads_to_it(api, person):
    portfolio = api.post("/portfolios", {"name": "Launch in Lisbon"}).json()
    api.post("/intents", {"title": "Open the shop"})
    link = f'<a href="/admin/portfolios/portfolio/{portfolio["id"]}/change/">Launch in Lisbon</a>'
    vera = person("viewer")

    event = Event.objects.get(event_type="portfolio_created")

    for path in ("intents/event/", "", f"intents/event/{event.pk}/change/"):
        assert link in vera.get(path).text, path


# --- comments ---------------------------------------------------------------------------------------------------------


def event_page(api, person, intent, payload):
    """Log a comment and return the page of its event."""
    api.post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": payload})
    return person("viewer").get(f"intents/event/{Event.objects.get(event_type='comment').pk}/change/")


@pytest.mark.parametrize("name", ["message", "text"])
def test_a_comment_is_shown_with_its_markup_on_the_page_of_its_event(api, person, make_intent, name):
    said = "**Merged**, see https://example.com/pr/1\n\n- `a`\n- b <script>"

    shown = event_page(api, person, make_intent(), {name: said}).text

    head = shown.partition('<div class="oi-head-text">')[2].partition("oi-row-meta")[0]
    assert "<strong>Merged</strong>" in head
    assert 'href="https://example.com/pr/1"' in head
    assert '<li dir="auto"><code dir="ltr">a</code></li>' in head
    assert "b &lt;script&gt;" in head


@pytest.mark.parametrize("payload", [{}, {"message": 3}, {"message": ["a"]}, {"message": None, "text": {"b": "**c**"}}])
def test_a_comment_that_is_no_text_is_shown_as_it_was_sent(api, person, make_intent, payload):
    shown = event_page(api, person, make_intent(), payload)

    assert shown.status_code == 200
    assert "<strong>" not in shown.text.partition('<header class="oi-head"')[2].partition("</header>")[0]


# --- the period, and what people know of an intent ---------------------------------------------------------------------

LOG = "intents/event/"
DAY = datetime.now(UTC).date() + timedelta(days=2)  # Later than what the fixtures log: the log follows time.


@pytest.fixture
def dated(make_intent):
    """Five events of one intent, each named for its time in UTC, around midnight and noon of DAY."""
    intent = make_intent(title="The roof of the house")
    position = Event.objects.aggregate(Max("position"))["position__max"] or positions.assign_positions(wait=True)
    for number, (days, at) in enumerate([(-1, "22:30"), (-1, "23:30"), (0, "00:00"), (0, "12:00"), (1, "00:00")], 1):
        moment = datetime.combine(DAY + timedelta(days=days), time.fromisoformat(at), UTC)
        Event.objects.create(
            uid=UUID(int=first_id_at(moment).int + 1),
            intent_id=intent["id"],
            sequence=1 + number,
            position=position + number,
            event_type=f"{days}_{at}",
            actor="ada",
            created_at=moment,
        )
    Intent.objects.filter(pk=intent["id"]).update(last_sequence=6)
    return intent


def read_log(person, **query):
    return [each for each in events(person.get(LOG, query)) if each != "intent_created"]


@pytest.mark.case("console L20")
@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("{day}", "{day}", ["0_12:00", "0_00:00"]),
        ("{day}T00:00", "{day}T12:00", ["0_00:00"]),
        ("{day}T00:00:01", "{day}T12:00:01", ["0_12:00"]),
        ("{day}T12:00:00Z", "", ["1_00:00", "0_12:00"]),
        ("{day} 13:00+01:00", "", ["1_00:00", "0_12:00"]),
        ("", "{before}", ["-1_23:30", "-1_22:30"]),
        ("2100-01-01", "", []),
        ("", "2001-01-01", []),
        (" ", "", ["1_00:00", "0_12:00", "0_00:00", "-1_23:30", "-1_22:30"]),
    ],
)
@pytest.mark.parametrize("of", ["everything", "an intent", "an actor"])
def test_the_log_is_narrowed_to_a_period(person, dated, since, until, expected, of):
    period = {"from": since.format(day=DAY), "to": until.format(day=DAY, before=DAY - timedelta(days=1))}
    others = {"everything": {}, "an intent": {"intent": dated["id"]}, "an actor": {"actor": "ada"}}[of]

    assert read_log(person("viewer"), **period, **others) == expected


@pytest.mark.case("console L20")
def test_the_days_and_times_of_a_period_are_the_reader_s(person, dated):
    vera = person("viewer")
    vera.client.cookies[COOKIE] = "Europe/Berlin"

    response = vera.get(LOG, {"from": str(DAY), "to": f"{DAY}T13:30"})

    hours = datetime.combine(DAY, time(12), ZoneInfo("Europe/Berlin")).utcoffset() // timedelta(hours=1)
    begins_before = ["-1_23:30"] if hours == 1 else ["-1_23:30", "-1_22:30"]
    assert events(response) == (["0_12:00"] if hours == 1 else []) + ["0_00:00", *begins_before]
    assert f'name="from" value="{DAY}T00:00:00"' in response.text
    assert f'name="to" value="{DAY}T13:30:00"' in response.text
    assert f"From ({'CET' if hours == 1 else 'CEST'})" in response.text


@pytest.mark.case("console L20")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "yesterday"}, "“From” is no date: &#x27;yesterday&#x27;. Use a date such as"),
        ({"to": "2026-02-30"}, "“To” is no date"),
        ({"to": "2026-02-03T25:00"}, "“To” is no date"),
        ({"from": "0001-01-01T00:00"}, "“From” is out of range: &#x27;0001-01-01T00:00&#x27;. Use a year from 2000 to 2199."),
        ({"to": "9999-12-31"}, "“To” is out of range"),
        ({"from": "no\0thing"}, "“From” is no date"),
        ({"from": "<b>"}, "&#x27;&lt;b&gt;&#x27;"),
        ({"from": "2026-11-30", "to": "2026-11-29"}, "“From” is not before “To”"),
        ({"from": "2026-11-30T10:00", "to": "2026-11-30T10:00"}, "“From” is not before “To”"),
    ],
)
def test_a_period_that_is_none_says_what_is_wrong_and_shows_no_events(person, dated, query, said):
    response = person("viewer").get(LOG, query)

    assert response.status_code == 400
    assert said in re.sub("<[^>]*>", "", response.text)
    assert 'aria-invalid="true" aria-describedby="oi-problem"' in response.text
    assert events(response) == []
    assert "No events match" not in response.text


@pytest.mark.case("console L20")
def test_pages_of_a_period_keep_it(person, dated, monkeypatch):
    monkeypatch.setattr(log_pages, "_read_page", partial(log_pages._read_page, shown=1))
    vera = person("viewer")

    first = vera.get(LOG, {"from": str(DAY), "to": str(DAY), "type": ""}).text
    older = unescape(re.search(r'rel="next" href="\?([^"]*)', first)[1])
    second = vera.get(f"{LOG}?{older}")

    assert events(second) == ["0_00:00"]
    assert 'rel="next"' not in second.text


@pytest.mark.case("console L20")
def test_a_period_far_back_is_found_without_reading_what_came_after_it(person, dated, monkeypatch):
    monkeypatch.setattr(log_pages, "WINDOW", 3)  # One is within a minute of the period.

    assert read_log(
        person("viewer"), actor="ada", **{"from": f"{DAY - timedelta(days=1)}", "to": f"{DAY - timedelta(days=1)}"}
    ) == [
        "-1_23:30",
        "-1_22:30",
    ]


@pytest.mark.case("console L20")
def test_log_is_narrowed_to_intents_by_words_or_beginning_of_id(agent, person, make_intent):
    roof, wall = make_intent(title="The roof of the house"), make_intent(title="A wall", description="of the house")
    make_intent(title="The garden")
    for intent in (roof, wall):
        agent("ada").post(f"/intents/{intent['id']}/events", {"event_type": f"about_{intent['title'][-5:].strip()}"})
    vera = person("viewer")

    one, two = vera.get(LOG, {"intent": "ROOF"}), vera.get(LOG, {"intent": "hous", "type": ""})

    assert events(one) == ["about_house", "intent_created"]
    assert "Only events of" in one.text
    assert events(two) == ["about_wall", "about_house", "intent_created", "intent_created"]
    assert "Events of 2 intents:" in two.text
    assert f"intent={roof['id']}" in two.text
    assert events(vera.get(LOG, {"intent": "hous", "actor": "ada", "type": "about_house"})) == ["about_house"]
    assert events(vera.get(LOG, {"intent": roof["id"][:30]})) == ["about_house", "intent_created"]
    assert events(vera.get(LOG, {"intent": "nowhere"})) == []
    assert "No events match these filters" in vera.get(LOG, {"intent": "nowhere"}).text


@pytest.mark.case("console L20")
def test_of_many_intents_that_match_the_last_updated_are_read(person, make_intent, monkeypatch):
    monkeypatch.setattr(log_pages, "MAX_INTENTS", 2)
    made = [make_intent(title=f"House {number}") for number in range(3)]

    page = person("viewer").get(LOG, {"intent": "house"}).text

    assert "the 2 most recently updated of more intents" in page
    assert made[0]["id"] not in page


@pytest.mark.case("console L20")
def test_filters_propose_recent_actors_and_portfolios_by_name(api, agent, person):
    agent("ada").post("/intents", {"title": "Mine"})
    house = api.post("/portfolios", {"name": "House"}).json()

    page = person("viewer").get(LOG, {"portfolio": house["id"]}).text

    assert '<option value="ada"></option>' in page
    assert f'<option value="{house["id"]}" selected>House</option>' in page
