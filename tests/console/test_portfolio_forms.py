"""Portfolios created and changed in the console, and their members, from either side; delegations created."""

import html
import re

import pytest

from access.models import Role
from access.services import create_key
from governance.models import Delegation
from intents.models import Event
from portfolios.models import Membership, Portfolio
from tests.conftest import Caller, log

PORTFOLIOS = "portfolios/portfolio"
NEW = f"{PORTFOLIOS}/add/"
DELEGATE = "governance/delegation/add/"


@pytest.fixture
def olga(person):
    return person("operator", "olga")


@pytest.fixture
def launch(api):
    policy = {"require_all_completed": True, "questions": {"urgency": "high"}, "shared_constraints": {"budget": 25}}
    return api.post("/portfolios", {"name": "Launch <1>", "governance_policy": policy}).json()


def text(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def fields(**changed):
    return {"name": "Launch", "description": "", "auto_complete_threshold": "", "shared_constraints": "", **changed}


def path(portfolio, end="change"):
    return f"{PORTFOLIOS}/{portfolio['id']}/{end}/"


@pytest.mark.rule("P-2")
def test_operator_creates_a_portfolio_with_its_rules(api, olga):
    given = fields(require_all_completed="on", auto_complete_threshold="80", shared_constraints='{"budget": 25}')

    told = olga.post(NEW, given, follow=True)

    assert "The portfolio was created. Add its members." in text(told)
    made = api.get(f"/portfolios/{Portfolio.objects.get().pk}").json()
    assert (made["name"], made["created_by"]) == ("Launch", "user:olga")
    assert made["governance_policy"] == {
        "require_all_completed": True,
        "auto_complete_threshold": 80,
        "shared_constraints": {"budget": 25},
    }
    assert Event.objects.get().event_type == "portfolio_created"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"name": " "}, "This field is required."),
        ({"auto_complete_threshold": "120"}, "must be a number above 0 and at most 100"),
        ({"auto_complete_threshold": "many"}, "Enter a number."),
        ({"shared_constraints": "[1]"}, "Enter a JSON object"),
        ({"shared_constraints": '{"budget": "much"}'}, "a number"),
    ],
)
def test_form_says_what_the_api_says(olga, changed, problem):
    refused = olga.post(NEW, fields(description="For Lisbon", **changed) if "name" not in changed else fields(**changed))

    assert problem.casefold() in text(refused).casefold()
    assert all(html.escape(value) in refused.text for value in changed.values() if value.strip())
    assert not Portfolio.objects.exists()


@pytest.mark.rule("P-4")
def test_changed_rules_leave_others_alone_and_a_second_editor_is_told(api, olga, launch):
    form = olga.get(path(launch, "edit")).text
    assert "Launch &lt;1&gt;" in form
    assert re.search(r'name="require_all_completed"[^>]*checked', form)
    given = fields(name="Launch 2", shared_constraints='{"budget": 30}', version=launch["version"])

    assert "The portfolio was changed." in text(olga.post(path(launch, "edit"), given, follow=True))
    late = olga.post(path(launch, "edit"), {**given, "name": "Launch 3"})

    assert "Somebody else has changed this portfolio" in text(late)
    assert 'value="Launch 3"' in late.text
    now = api.get(f"/portfolios/{launch['id']}").json()
    assert now["name"] == "Launch 2"
    assert now["governance_policy"] == {"questions": {"urgency": "high"}, "shared_constraints": {"budget": 30}}


@pytest.mark.rule("P-1")
def test_members_are_added_by_name_and_removed_after_a_question(api, olga, launch, make_intent):
    intent = make_intent(title="Open <b>the</b> shop")
    given = {"intent_id": "Open <b>the</b> shop", "role": "primary", "priority": "5"}

    told = olga.post(path(launch, "members/add"), given, follow=True)
    assert "The member was added." in text(told)
    assert "<b>the</b>" not in told.text
    assert "is already" in text(olga.post(path(launch, "members/add"), given))
    asked = olga.post(path(launch, "members/remove"), {"intent_id": intent["id"]})
    assert "Remove this member?" in text(asked)
    assert "Open <b>the</b> shop" in html.unescape(asked.text)

    removed = olga.post(path(launch, "members/remove"), {"intent_id": intent["id"], "confirmed": "yes"}, follow=True)

    assert "The member was removed." in text(removed)
    assert log(api, intent)[-2:] == [("added_to_portfolio", "user:olga"), ("removed_from_portfolio", "user:olga")]


# --- from the page of an intent ---------------------------------------------------------------------------------------


def join(someone, intent, **given):
    return someone.post(f"intents/intent/{intent['id']}/do/portfolio/", {"role": "member", "priority": "0", **given}, follow=True)


def confirmed(portfolio_name, **given):
    return {"portfolio_id": portfolio_name, "confirmed": "yes", **given}


@pytest.mark.rule("P-1")
@pytest.mark.parametrize("status", ["draft", "completed"])
def test_an_intent_is_added_to_a_portfolio_from_its_own_page(api, olga, launch, make_intent, status):
    intent = make_intent(title="Open the shop", status=status)
    assert "Add to portfolio" in olga.get(f"intents/intent/{intent['id']}/change/").text
    asked = join(olga, intent)
    assert "Open the shop" in text(asked)
    assert 'value="Launch &lt;1&gt;"' in asked.text

    told = join(olga, intent, **confirmed("Launch <1>", role="primary", priority="5"))

    assert "The intent was added to the portfolio." in text(told)
    member = Membership.objects.get(portfolio=launch["id"])
    assert (str(member.intent_id), member.role, member.priority) == (intent["id"], "primary", 5)
    assert ("added_to_portfolio", "user:olga") in log(api, intent)


def test_refusals_of_the_portfolio_are_said_on_the_intent_s_page(api, olga, launch, make_intent):
    intent = make_intent()
    join(olga, intent, **confirmed(launch["id"]))

    assert "is already" in text(join(olga, intent, **confirmed(launch["id"])))
    assert "No portfolio has the ID or the title" in text(join(olga, intent, **confirmed("Nothing")))
    olga.act(PORTFOLIOS, "abandon", launch["id"])
    assert "abandoned" in text(join(olga, make_intent(), **confirmed("Launch <1>")))

    assert Event.objects.filter(event_type="added_to_portfolio").count() == 1


def test_only_active_portfolios_are_proposed(olga, launch, make_intent):
    olga.act(PORTFOLIOS, "abandon", launch["id"])

    assert "Launch &lt;1&gt;" not in join(olga, make_intent()).text


@pytest.mark.parametrize("role", ["viewer", "arbiter"])
def test_adding_an_intent_to_a_portfolio_needs_an_operator(person, launch, make_intent, role):
    someone, intent = person(role), make_intent()
    before = Event.objects.count()

    assert "Add to portfolio" not in someone.get(f"intents/intent/{intent['id']}/change/").text
    assert join(someone, intent, **confirmed(launch["id"])).status_code == 403
    assert Event.objects.count() == before


@pytest.mark.parametrize("hostile", ["", "zzz", "\0", "9" * 40, "019aaaaa-0000-7000-8000-000000000000"])
def test_a_portfolio_that_is_none_is_refused(olga, make_intent, hostile):
    intent = make_intent()
    before = Event.objects.count()

    assert join(olga, intent, **confirmed(hostile)).status_code == 200
    assert Event.objects.count() == before


# --- members that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hostile", ["", "zzz", "\0", "9" * 40])
def test_removing_what_is_no_member_changes_nothing(olga, launch, hostile):
    before = Event.objects.count()

    for more in ({}, {"confirmed": "yes"}):
        answer = olga.post(path(launch, "members/remove"), {"intent_id": hostile, **more})
        assert answer.status_code == 200
        assert "Remove this member?" in text(answer)

    assert Event.objects.count() == before


def test_a_closed_portfolio_takes_no_members(olga, launch, make_intent):
    make_intent(title="Late")
    olga.act(PORTFOLIOS, "abandon", launch["id"])

    assert "members/add" not in olga.get(path(launch)).text
    refused = olga.post(path(launch, "members/add"), {"intent_id": "Late", "role": "member", "priority": 0})

    assert "abandoned" in text(refused)


@pytest.mark.parametrize("role", ["viewer", "arbiter"])
def test_portfolios_are_changed_by_operators_alone(person, launch, make_intent, role):
    someone, intent = person(role), make_intent()
    before = Event.objects.count()

    assert not re.search(r"/(add|edit|remove)/", someone.get(path(launch)).text + someone.get(f"{PORTFOLIOS}/").text)
    for each in (NEW, path(launch, "edit"), path(launch, "members/add"), path(launch, "members/remove")):
        sent = fields(version=1, intent_id=intent["id"], role="member", priority=0, confirmed="yes")
        assert someone.post(each, sent).status_code == 403

    assert Event.objects.count() == before


def delegation(**changed):
    return {
        "delegate": "lead",
        "actions": "decide",
        "intents": "",
        "portfolios": "",
        "expires_at": "",
        "constraints": "",
        **changed,
    }


@pytest.mark.rule("A-4")
def test_arbiter_delegates_decisions_which_hold_at_once(person, ask, launch):
    asked = ask("May I?")
    given = delegation(intents="About: May I?", portfolios=launch["id"], expires_at="2099-01-01T10:00", constraints='{"max": 1}')

    told = person("arbiter", "judy").post(DELEGATE, given, follow=True)

    assert "The delegation to lead holds from now on." in text(told)
    made = Delegation.objects.get()
    assert (made.delegator, made.delegate, made.constraints) == ("user:judy", "lead", {"max": 1})
    assert made.scope == {"intents": [asked["intent_id"]], "portfolios": [launch["id"]], "actions": ["decide"]}
    _, key = create_key(name="lead", role=Role.AGENT, agent_id="lead", created_by="test")
    body = {"arbitration_id": asked["id"], "decision": "Yes"}
    assert Caller(key).post(f"/intents/{asked['intent_id']}/decisions", body).status_code == 201


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"delegate": "system"}, "reserved"),
        ({"intents": "019aaaaa-0000-7000-8000-000000000000"}, "none of the intents has the id"),
        ({"portfolios": "Nothing of that name"}, "No portfolio has the ID or the title"),
        ({"expires_at": "2020-01-01T10:00"}, "must be in the future"),
        ({"constraints": "{"}, "Enter JSON"),
        ({"actions": "a" * 500}, "characters"),
    ],
)
def test_delegating_says_what_the_api_says(person, changed, problem):
    refused = person("arbiter", "judy").post(DELEGATE, delegation(**changed))

    assert problem.casefold() in text(refused).casefold()
    assert all(value in refused.text for value in changed.values())
    assert not Delegation.objects.exists()


def test_a_viewer_delegates_nothing(person):
    vera = person("viewer", "vera")

    assert "delegation/add" not in vera.get("governance/delegation/").text
    assert vera.get(DELEGATE).status_code == 403
    assert vera.post(DELEGATE, delegation()).status_code == 403


def test_these_forms_need_their_csrf_token(person, launch):
    olga = person("operator", "olga", enforce_csrf_checks=True)

    for each in (NEW, path(launch, "edit"), path(launch, "members/add"), path(launch, "members/remove"), DELEGATE):
        assert olga.post(each, {}).status_code == 403
