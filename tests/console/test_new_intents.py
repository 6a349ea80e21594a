"""Intents created in the console, their dependencies, and comments on them."""

import html
import re

import pytest

from intents.models import Event, Intent
from tests.conftest import fresh, log

from .intents import page

NEW = "intents/intent/add/"


def text(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def fields(**changed):
    names = ["description", "assign", "parent_intent_id", "depends_on", "needed_by"]
    names += ["deadline", "max_cost", "constraints", "state"]
    return {**dict.fromkeys(names, ""), "title": "Book a hotel", **changed}


def create(person, query="", **changed):
    return person.post(NEW + query, fields(**changed), follow=True)


def do(person, intent, deed, **given):
    return person.post(f"intents/intent/{intent['id']}/do/{deed}/", {"confirmed": "yes", **given}, follow=True)


def test_every_field_that_may_stay_empty_says_so(person):
    shown = text(person("operator").get(NEW))

    assert "Title (optional)" not in shown
    for label in ("Agents", "Required by", "Deadline", "Budget in USD", "Initial state"):
        assert f"{label} (optional)" in shown


def test_operator_creates_an_intent_with_everything_that_the_api_takes(api, person, make_intent):
    parent, first, second = make_intent(title="Trip"), make_intent(title="Budget agreed"), make_intent(title="Dates agreed")
    olga = person("operator", "olga")
    assert f'href="/admin/{NEW}"' in olga.get("intents/intent/").text

    told = create(
        olga,
        description="Near the sea",
        assign="ada\nbob as lead\n\n",
        parent_intent_id=f"http://localhost/admin/intents/intent/{parent['id']}/change/",
        depends_on=f"{first['id']}\nDates agreed",
        deadline="2027-01-15",
        max_cost="12.5",
        constraints='{"stars": 3}',
        state='{"flights": "open"}',
    )

    assert "The intent was created." in text(told)
    made = fresh(api, {"id": str(Intent.objects.latest("pk").pk)})
    assert (made["title"], made["description"], made["status"], made["created_by"]) == (
        "Book a hotel",
        "Near the sea",
        "blocked",
        "user:olga",
    )
    assert made["parent_intent_id"] == parent["id"]
    assert sorted(made["depends_on"]) == sorted([first["id"], second["id"]])
    assert made["constraints"] == {"stars": 3, "deadline": "2027-01-15", "max_cost": 12.5}
    assert made["state"] == {"flights": "open"}
    assert [(each["agent_id"], each["role"]) for each in made["agents"]] == [("ada", "worker"), ("bob", "lead")]
    assert ("intent_created", "user:olga") in log(api, made)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"title": " "}, "This field is required"),
        ({"state": "{"}, 'Enter JSON, such as {"flights": "open"}.'),
        ({"state": "[]"}, "Enter a JSON object"),
        ({"constraints": '{"max_cost": "many"}'}, "a number"),
        ({"constraints": '{"deadline": "soon"}', "deadline": "2027-01-15"}, "Has deadline as well"),
        ({"depends_on": "Nothing of that name"}, "No intent has the ID or the title “Nothing of that name”."),
        ({"depends_on": "019aaaaa-0000-7000-8000-000000000000"}, "No intent has the id 019aaaaa"),
        ({"depends_on": "\n".join(f"Title {n}" for n in range(21))}, "at most 20 lines can be titles"),
        ({"parent_intent_id": "Twice"}, "More than one intent is named “Twice”. Enter its ID."),
        ({"assign": "system"}, "reserved"),
        ({"needed_by": "019aaaaa-0000-7000-8000-000000000000"}, "No intent has the id 019aaaaa"),
    ],
)
def test_form_says_what_the_api_says_and_keeps_what_was_typed(person, make_intent, changed, problem):
    for _ in range(2):
        make_intent(title="Twice")
    before = Event.objects.count()

    refused = create(person("operator", "olga"), description="Near the sea", **changed)

    assert problem.casefold() in text(refused).casefold()
    assert "Near the sea" in refused.text
    assert all(html.escape(value, quote=True) in refused.text for value in changed.values() if value.strip())
    assert Event.objects.count() == before


@pytest.mark.rule("G-1")
def test_a_new_child_and_a_new_dependency_know_what_they_are_for(api, person, make_intent):
    trip, olga = make_intent(title="Trip <b>"), person("operator", "olga")
    shown = page(olga, trip).text
    assert f"{NEW}?parent={trip['id']}" in shown
    assert f"{NEW}?needed_by={trip['id']}" in shown

    form = olga.get(NEW, {"parent": trip["id"]})
    assert "A child of Trip <b> ." in text(form)
    assert f'value="{trip["id"]}"' in form.text
    create(olga, f"?needed_by={trip['id']}", needed_by=trip["id"], title="Get a visa")

    now = fresh(api, trip)
    made = Intent.objects.get(title="Get a visa")
    assert (now["status"], now["depends_on"]) == ("blocked", [str(made.pk)])
    assert ("dependency_added", "user:olga") in log(api, trip)


@pytest.mark.rule("G-2")
def test_a_dependency_that_closes_a_cycle_creates_nothing(person, make_intent):
    first = make_intent(title="First")
    before = Intent.objects.count()

    refused = create(person("operator", "olga"), depends_on=first["id"], needed_by=first["id"])

    assert "wait for each other" in text(refused)
    assert Intent.objects.count() == before


def test_dependencies_are_added_and_removed_at_the_version_that_was_seen(api, person, make_intent):
    first, intent, olga = make_intent(title="First of all"), make_intent(title="Later"), person("operator", "olga")

    asked = olga.post(f"intents/intent/{intent['id']}/do/depend/", {"version": 1})
    assert 'name="depends_on"' in asked.text
    assert "Dependency added." in text(do(olga, intent, "depend", version=1, depends_on="First of all"))
    assert fresh(api, intent)["depends_on"] == [first["id"]]
    assert "First of all" in page(olga, intent).text
    assert "changed since you opened it" in text(do(olga, intent, "undepend", version=1, dependency=first["id"]))

    version = fresh(api, intent)["version"]
    assert "Dependency removed." in text(do(olga, intent, "undepend", version=version, dependency=first["id"]))
    assert fresh(api, intent)["depends_on"] == []
    assert log(api, intent)[-2:] == [("dependency_removed", "user:olga"), ("status_changed", "system")]


def test_a_comment_is_an_event_that_agents_get(api, person, make_intent):
    intent, judy = make_intent(), person("arbiter", "judy")
    assert 'name="message"' in page(judy, intent).text

    told = do(judy, intent, "comment", message="Please <b>wait</b> for\nthe invoice.")

    assert "The comment was added." in text(told)
    event = api.get(f"/intents/{intent['id']}/events").json()["events"][-1]
    assert (event["event_type"], event["actor"]) == ("comment", "user:judy")
    assert event["payload"] == {"message": "Please <b>wait</b> for\nthe invoice."}
    assert "<b>wait" not in told.text
    assert fresh(api, intent)["version"] == intent["version"]


def test_an_empty_comment_is_refused_with_a_form(person, make_intent):
    intent = make_intent()

    refused = do(person("arbiter", "judy"), intent, "comment", message=" ")

    assert "This field is required." in text(refused)
    assert not Event.objects.filter(event_type="comment").exists()


@pytest.mark.parametrize("role", ["viewer", "arbiter"])
def test_creating_needs_an_operator_and_commenting_an_arbiter(person, make_intent, role):
    intent, someone = make_intent(), person(role)
    before = Event.objects.count()

    assert NEW not in someone.get("intents/intent/").text + page(someone, intent).text
    assert someone.get(NEW).status_code == 403
    assert create(someone).status_code == 403
    for deed in ("depend", "undepend"):
        assert do(someone, intent, deed, version=1, depends_on=intent["id"]).status_code == 403
    if role == "viewer":
        assert 'name="message"' not in page(someone, intent).text
        assert do(someone, intent, "comment", message="Hello").status_code == 403

    assert Event.objects.count() == before


def test_writing_needs_its_csrf_token(person, make_intent):
    intent, olga = make_intent(), person("operator", "olga", enforce_csrf_checks=True)

    assert create(olga).status_code == 403
    assert do(olga, intent, "comment", message="Hello").status_code == 403


def test_an_unknown_parameter_of_the_form_is_refused(person):
    assert person("operator", "olga").get(NEW, {"parnet": "x"}).status_code == 400
