"""Actors on pages: people with a badge, all others with the key that they used."""

import re
from uuid import UUID

import pytest

from access.identity import Actor
from access.models import ApiKey, Role
from governance.models import Arbitration
from intents.events import NewEvent
from intents.models import Event
from intents.services import log_events
from leasing.models import Lease
from tests.conftest import Caller
from tests.console.users import record_decision_by, request_decision_by

pytestmark = [pytest.mark.case("security H5"), pytest.mark.case("security L10")]

LOG = "intents/event/"


@pytest.fixture
def nightly(api):
    return api.post("/keys", {"name": "nightly report", "role": "agent"}).json()


@pytest.fixture
def comment(make_intent):
    """`comment(Caller(…))`: an event of the caller's, on an intent of its own."""

    def commented(caller):
        intent = make_intent()
        assert caller.post(f"/intents/{intent['id']}/events", {"event_type": "comment"}).status_code == 201
        return intent

    return commented


def actors(page):
    cells = re.findall(r'<span class="oi-event-actor">(.*?)</span>\s*<(?:div|span) class="oi-event-intent"', page.text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", "", cell).split()) for cell in cells]


@pytest.mark.parametrize("path", [LOG, ""])
def test_the_log_and_the_feed_show_the_key_beside_each_actor(person, comment, nightly, path):
    comment(Caller(nightly["key"], "ada"))

    first, *_ = actors(person("viewer").get(path))

    assert first == f"ada via nightly report {nightly['prefix']}"


def test_the_key_leads_operators_to_its_page_and_others_nowhere(person, comment, nightly):
    comment(Caller(nightly["key"], "ada"))
    link = f'href="/admin/access/apikey/{nightly["id"]}/change/"'

    assert link in person("operator").get(LOG).text
    assert link not in person("viewer", "vera").get(LOG).text


def test_a_person_has_a_badge_and_an_agent_of_that_name_has_none(person, comment, make_intent, nightly):
    intent = comment(Caller(nightly["key"], "grace"))
    request_decision_by("grace", intent, "May I?", "Yes")
    viewer = person("viewer")

    assert actors(viewer.get(LOG))[:2] == ["grace person", f"grace via nightly report {nightly['prefix']}"]
    question = viewer.get(f"governance/arbitration/{Arbitration.objects.get().pk}/change/").text
    assert re.search(r"<strong>grace <span[^>]*>person</span></strong> asked", question)


def test_events_written_with_a_key_in_a_person_s_name_have_no_badge(person, comment, nightly):
    comment(Caller(nightly["key"], "ada"))
    [event] = Event.objects.filter(event_type="comment")
    intent_id, key_id = event.intent_id, event.key_id
    log_events(
        intent_id=intent_id,
        actor=Actor("user:grace", key_id),
        events=[NewEvent("comment", {})],
    )

    assert actors(person("viewer").get(LOG))[0] == f"user:grace via nightly report {nightly['prefix']}"


def test_questions_leases_and_decisions_show_it_too(person, make_intent, nightly):
    caller, intent = Caller(nightly["key"], "ada"), make_intent()
    caller.post(f"/intents/{intent['id']}/arbitrate", {"reason": "May I?", "options": ["Yes"]})
    caller.post(f"/intents/{intent['id']}/leases", {"scope": "flights"})
    asked, viewer = Arbitration.objects.get(), person("viewer")
    shown = f"via nightly report {nightly['prefix']}"

    for path in (
        "governance/arbitration/",
        f"governance/arbitration/{asked.pk}/change/",
        "leasing/lease/",
        f"leasing/lease/{Lease.objects.get().pk}/change/",
        f"intents/intent/{intent['id']}/change/",
    ):
        assert shown in viewer.get(path).text, path
    record_decision_by("ines", {"intent_id": intent["id"]}, "Yes")
    assert re.search(r"ines <span[^>]*>person</span>", viewer.get("governance/decision/").text)


def test_many_keys_on_a_page_cost_no_query_each(api, person, comment):
    viewer = person("viewer")
    comment(Caller(api.post("/keys", {"name": "first", "role": "agent"}).json()["key"]))
    few = viewer.queries(LOG)
    for number in range(10):
        comment(Caller(api.post("/keys", {"name": f"key {number}", "role": "agent"}).json()["key"]))

    assert viewer.queries(LOG) == few


def test_a_key_that_is_unknown_here_is_named_by_its_id(person, comment, nightly):
    comment(Caller(nightly["key"], "ada"))
    ApiKey.objects.filter(pk=nightly["id"]).delete()

    assert actors(person("viewer").get(LOG))[0] == f"ada via key {nightly['id'][-8:]}"


@pytest.mark.case("coordination O21")
def test_invisible_characters_are_shown_by_their_numbers(person, api, make_intent):
    intent = make_intent(title="abc\u202edef")
    api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "Pay \u2066 Bob?", "options": ["Yes", "No"]})
    asked = Arbitration.objects.get()
    asked.options[0]["label"] = "Yes\u200b"  # As an earlier version took it.
    asked.save(update_fields=["options"])

    page = person("arbiter").get(f"governance/arbitration/{asked.pk}/change/").text

    for number in ("U+202E", "U+2066", "U+200B"):
        assert re.search(rf'<span class="oi-invisible" title="Invisible character: [a-z -]+">{re.escape(number)}</span>', page)
    assert '<span class="oi-option-label">No</span>' in page


def test_invisible_characters_of_old_agent_ids_are_shown(person, make_intent):
    intent = make_intent()
    log_events(
        intent_id=UUID(intent["id"]),
        actor=Actor("sys\u200btem<b>", role=Role.AGENT),
        events=[NewEvent("comment", {})],
    )

    marked = '<bdi>sys<span class="oi-invisible" title="Invisible character: zero width space">U+200B</span>tem&lt;b&gt;</bdi>'
    assert marked in person("viewer").get(LOG).text
