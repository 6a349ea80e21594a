"""Recipients: rows of the question's transaction, for each person by their channels."""

from datetime import timedelta

import pytest
from django.db.models import F

from access.identity import Actor
from access.models import Role
from governance import services
from governance.models import Arbitration
from jobs.worker import run_due_tasks
from notices.delivery_worker import send_all_due
from notices.models import Notice
from notices.services import tell
from tests.conftest import log
from tests.governance.conftest import decide
from tests.notices.conftest import ask, make_channel, notices

URL = "https://hooks.example.com/a"


def told(api, asked, kind="asked"):
    """(channel's kind, to) of the notices of a question."""
    kinds = {each["id"]: each["kind"] for each in api.get("/channels").json()["channels"]}
    return [(kinds[each["channel_id"]], each["to"]) for each in notices(api, asked, kind=kind)]


@pytest.mark.rule("H-3")
def test_a_question_is_told_in_its_own_transaction(api, asker, intent):
    make_channel(api, URL)
    asked = ask(asker, intent)

    [notice] = notices(api, asked)
    assert (notice["kind"], notice["status"], notice["attempts"], notice["to"]) == ("asked", "pending", 0, None)
    assert notice["created_at"] == asked["created_at"]
    [entry] = asked["told"]
    assert (entry["channel_id"], entry["kind"], entry["at"]) == (notice["channel_id"], "asked", asked["created_at"])
    assert api.get(f"/arbitrations/{asked['id']}").json()["told"] == [entry]
    last = api.get(f"/intents/{intent['id']}/events", order="desc", limit=1).json()["events"][0]
    assert (last["event_type"], last["payload"]) == ("arbitration_notified", {"arbitration_id": asked["id"], "told": [entry]})


@pytest.mark.rule("H-3")
def test_a_refused_question_is_told_to_nobody(api, asker, intent):
    make_channel(api, URL)

    refused = asker.post(f"/intents/{intent['id']}/arbitrate", {"reason": "May I?", "expires_at": "2020-01-01T00:00:00Z"})

    assert (refused.status_code, notices(api)) == (400, [])


@pytest.mark.rule("H-3")
def test_a_step_of_a_question_is_told_once(api, asker, intent):
    make_channel(api, URL)
    question = Arbitration.objects.get(pk=ask(asker, intent)["id"])

    again = tell(question, "asked", [], now=question.created_at)
    reminders = [tell(question, "reminder", [], now=question.created_at, step=step) for step in (1, 2, 2)]

    assert [len(again), *map(len, reminders)] == [0, 1, 1, 0]
    assert [(each.kind, each.step) for each in Notice.objects.order_by("pk")] == [("asked", 0), ("reminder", 1), ("reminder", 2)]


def test_without_a_channel_nobody_is_told_and_that_is_visible(api, asker, intent, person):
    person("ada", email="ada@example.com")  # No mail server is configured.
    asked = ask(asker, intent)

    question = Arbitration.objects.get(pk=asked["id"])
    assert (notices(api, asked), tell(question, "reminder", ["user:ada"], now=question.created_at)) == ([], [])
    assert log(api, intent)[-1] == ("arbitration_requested", "deploy-bot")


def test_people_who_may_decide_are_told_by_their_own_channels_or_by_mail(api, asker, intent, person, mail_server):
    person("ada", email="ada@example.com")
    person("bob", role="operator", email="bob@example.com")
    person("eve", role="viewer", email="eve@example.com")
    person("zoe")  # Without an address.
    person("off", email="off@example.com").__class__.objects.filter(username="off").update(is_active=False)
    make_channel(api, URL, "slack", owner="user:ada")
    asked = ask(asker, intent)

    assert told(api, asked) == [("slack", "user:ada"), ("email", "user:bob")]
    send_all_due()
    assert [each.recipients for each in mail_server.mails] == [["bob@example.com"]]


def test_a_person_is_told_by_the_channels_of_the_urgency_else_by_mail(api, asker, intent, person, mail_server):
    person("ada", email="ada@example.com")
    make_channel(api, URL, "ntfy", owner="user:ada", urgencies=["high"])
    question = Arbitration.objects.get(pk=ask(asker, intent)["id"])
    question.urgency = "high"

    tell(question, "escalation", ["user:ada"], now=question.created_at, step=1)

    assert (told(api, {"id": question.pk}), told(api, {"id": question.pk}, "escalation")) == (
        [("email", "user:ada")],
        [("ntfy", "user:ada")],
    )


def test_named_people_and_groups_are_told_once_each(api, asker, intent, person):
    for name in ("ada", "bob", "eve"):
        person(name, group="ops" if name != "eve" else None)
        make_channel(api, URL, owner=f"user:{name}")
    question = Arbitration.objects.get(pk=ask(asker, intent)["id"])

    added = tell(question, "reminder", ["user:ada", "group:ops", "user:nobody", "group:none"], now=question.created_at, step=1)

    assert [each["to"] for each in added] == ["user:ada", "user:bob"]
    assert {each["kind"] for each in added} == {"reminder"}


@pytest.mark.rule("H-5")
def test_an_audience_that_is_gone_leaves_it_to_deciders(api, asker, intent, person):
    person("ada")
    make_channel(api, URL, owner="user:ada")
    question = Arbitration.objects.get(pk=ask(asker, intent)["id"])

    added = tell(question, "reminder", ["user:gone", "group:none"], now=question.created_at, step=1)

    assert [each["to"] for each in added] == ["user:ada"]


@pytest.mark.rule("H-3")
def test_each_step_of_a_question_is_told_to_those_it_reaches(api, asker, intent, person):
    for name in ("ada", "bob"):
        person(name)
        make_channel(api, URL, owner=f"user:{name}")
    steps = {"remind_after_seconds": [60, 180], "escalation": [{"after_seconds": 120, "to": "user:bob"}]}
    asked = ask(asker, intent, audience=["user:ada"], urgency="high", **steps)

    for _ in range(4):
        by = timedelta(seconds=60)
        moved = {"created_at": F("created_at") - by, "next_step_at": F("next_step_at") - by}
        Arbitration.objects.filter(pk=asked["id"]).update(**moved)
        run_due_tasks()
    by_hand = asker.post(f"/arbitrations/{asked['id']}/remind")

    assert by_hand.status_code == 200
    ada, bob = "user:ada", "user:bob"
    assert [(each["kind"], each["to"], each["urgency"]) for each in notices(api, asked)] == [
        ("asked", ada, "high"),
        ("reminder", ada, "high"),
        ("escalation", bob, "high"),
        ("reminder", ada, "high"),
        ("reminder", bob, "high"),
        ("reminder", ada, "high"),
        ("reminder", bob, "high"),
    ]


@pytest.mark.rule("H-4")
def test_the_end_is_told_to_those_who_have_heard_of_the_question(api, asker, intent, receiver):
    make_channel(api, receiver)
    heard, unheard = ask(asker, intent), ask(asker, intent, "Another?")
    Notice.objects.filter(arbitration=unheard["id"]).update(next_attempt_at="2999-01-01T00:00:00Z")
    send_all_due()
    for asked in (heard, unheard):
        assert decide(api, intent, "yes", arbitration_id=asked["id"]).status_code == 201
    send_all_due()

    assert [(each["kind"], each["status"]) for each in notices(api, heard)] == [("asked", "sent"), ("resolved", "sent")]
    assert [(each["kind"], each["status"]) for each in notices(api, unheard)] == [("asked", "obsolete")]
    assert [call.json["type"] for call in receiver.calls] == ["notice.asked", "notice.resolved"]
    assert receiver.calls[-1].json["data"]["questions"][0]["decision"] == "yes"


@pytest.mark.rule("H-4")
def test_a_failed_notice_is_not_retried_after_the_end(api, asker, intent, receiver):
    make_channel(api, receiver)
    asked = ask(asker, intent)
    receiver.will_answer(500)
    send_all_due()
    decide(api, intent, "yes")

    [notice] = notices(api, asked)
    assert (notice["status"], notice["attempts"], send_all_due()) == ("obsolete", 1, 0)
    assert api.post(f"/notices/{notice['id']}/resend").json()["code"] == "notice_obsolete"


@pytest.mark.rule("H-8")
def test_assignee_is_told_unless_they_took_it_themselves(api, asker, intent, person, mail_server):
    person("ada", email="ada@example.com")
    asked = ask(asker, intent)
    [before] = told(api, asked)

    assigned = api.post(f"/arbitrations/{asked['id']}/assign", {"assignee": "user:ada"})
    assert assigned.status_code == 200, assigned.json()

    assert told(api, asked, "escalation") == [before] == [("email", "user:ada")]
    assert assigned.json()["told"][-1]["kind"] == "escalation"
    send_all_due()
    assert "it has come to you" in mail_server.mails[-1].message["Subject"]


@pytest.mark.rule("H-9")
def test_person_who_asked_back_hears_of_the_answer(api, asker, intent, person, mail_server):
    ada = Actor(f"user:{person('ada', email='ada@example.com').username}", role=Role.ARBITER)
    asked = ask(asker, intent)
    question = Arbitration.objects.get(pk=asked["id"])
    services.request_information(arbitration_id=question.pk, actor=ada, question="Which order?")

    assert told(api, asked, "reminder") == []
    asker.post(f"/arbitrations/{asked['id']}/information", {"answer": "1042"})

    assert told(api, asked, "reminder") == [("email", "user:ada")]


@pytest.mark.rule("H-8")
def test_own_assignment_is_told_to_nobody(api, asker, intent, person, mail_server):
    ada = Actor(f"user:{person('ada', email='ada@example.com').username}", role=Role.ARBITER)
    asked = ask(asker, intent)

    services.assign_arbitration(arbitration_id=Arbitration.objects.get().pk, actor=ada, assignee="user:ada")

    assert told(api, asked, "escalation") == []
