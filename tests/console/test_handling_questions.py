"""A question on its page: assigned, sent back for more information, and who was told of it (rules H-3, H-8, H-9)."""

import html
import re

import pytest

from governance.models import Arbitration
from notices.models import Notice
from tests.conftest import log
from tests.notices.conftest import make_channel

INBOX = "governance/arbitration/"


def text(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def shown(person, asked):
    return text(person.get(f"{INBOX}{asked['id']}/change/"))


def assign(person, asked, assignee):
    return person.post(f"{INBOX}{asked['id']}/assign/", {"assignee": assignee, "confirmed": "yes"}, follow=True)


def send_back(person, asked, question):
    return person.post(f"{INBOX}{asked['id']}/information/", {"question": question, "confirmed": "yes"}, follow=True)


@pytest.mark.rule("H-8")
def test_arbiter_takes_a_question_and_finds_it_among_theirs(person, api, ask):
    grace, asked = person("arbiter"), ask("Roll back?")
    other = ask("Fix forward?")
    assert "Assigned to nobody Assign to me" in shown(grace, asked)

    assert "Assigned to you." in text(assign(grace, asked, "user:grace"))

    assert api.get(f"/arbitrations/{asked['id']}").json()["assignee"] == "user:grace"
    assert "Assign to me" not in shown(grace, asked)
    mine = text(grace.get(INBOX, {"assignee": "me"}))
    assert asked["reason"] in mine
    assert other["reason"] not in mine
    assert "Assigned to you" in mine
    assert other["reason"] in text(grace.get(INBOX, {"assignee": "nobody"}))
    assert grace.get(INBOX, {"assignee": "else"}).status_code == 400


@pytest.mark.rule("H-8")
def test_question_is_assigned_to_another_person_or_nobody_from_a_list(person, api, ask):
    grace, asked = person("arbiter"), ask("Roll back?")
    person("operator", "olga"), person("viewer", "vera")

    form = grace.get(f"{INBOX}{asked['id']}/assign/").text
    assert re.findall(r'<option value="([^"]*)"', form) == ["", "user:grace", "user:olga"]
    assert "Assigned to olga." in text(assign(grace, asked, "user:olga"))
    assert "The question is assigned to nobody." in text(assign(grace, asked, ""))

    assert api.get(f"/arbitrations/{asked['id']}").json()["assignee"] is None


@pytest.mark.rule("H-8")
def test_viewer_neither_assigns_nor_sends_back(person, ask):
    vera, asked = person("viewer", "vera"), ask("Roll back?")

    assert assign(vera, asked, "user:vera").status_code == 403
    assert send_back(vera, asked, "Why?").status_code == 403
    assert "Need more information" not in shown(vera, asked)
    assert Arbitration.objects.get().assignee is None


@pytest.mark.rule("H-8")
def test_assigning_and_sending_back_need_their_csrf_token(person, ask):
    grace, asked = person("arbiter", enforce_csrf_checks=True), ask("Roll back?")
    assert (assign(grace, asked, "user:grace").status_code, send_back(grace, asked, "Why?").status_code) == (403, 403)


@pytest.mark.rule("H-8")
def test_question_that_ended_meanwhile_is_not_assigned(person, agent, ask):
    grace, asked = person("arbiter"), ask("Roll back?")
    agent("ada").post(f"/arbitrations/{asked['id']}/withdraw", {})

    assert "is withdrawn, not pending" in text(assign(grace, asked, "user:grace"))
    assert Arbitration.objects.get().assignee is None


@pytest.mark.rule("H-9")
def test_question_is_sent_back_and_the_answer_is_on_the_page(person, api, agent, ask):
    grace, asked = person("arbiter"), ask("Refund <b>all</b>?", options=["yes", "no"])

    assert "The question stays open." in text(send_back(grace, asked, "Since <i>when</i>?"))

    page = shown(grace, asked)
    assert "Since <i>when</i>?" in page
    assert "Waits for the agent's answer." in page
    assert "Waits for information" in text(grace.get(INBOX))
    agent("ada").post(f"/arbitrations/{asked['id']}/information", {"answer": "Since <script>noon"})
    page = grace.get(f"{INBOX}{asked['id']}/change/")
    assert "Since &lt;script&gt;noon" in page.text
    assert "Need more information" in page.text
    assert api.get(f"/arbitrations/{asked['id']}").json()["status"] == "pending"
    assert ("information_requested", "user:grace") in log(api, {"id": asked["intent_id"]})


@pytest.mark.rule("H-9")
def test_written_question_back_stays_when_another_was_first(person, api, ask):
    grace, asked = person("arbiter"), ask("Refund?")
    api.post(f"/arbitrations/{asked['id']}/request-information", {"question": "How old?"})

    refused = send_back(grace, asked, "Since when exactly?")

    assert "It waits for information that was asked for already." in text(refused)
    assert "Since when exactly?</textarea>" in refused.text


@pytest.mark.rule("H-3")
def test_page_says_who_was_told_by_what_and_whether_it_arrived(person, api, ask):
    grace, vera = person("arbiter"), person("viewer", "vera")
    assert "Nobody was told: nobody who may answer has a channel." in shown(grace, ask("First?"))
    make_channel(api, "https://hooks.example.com/secret-path", name="Night <shift>")
    asked = ask("Second?")
    assert "Question by Night <shift> (Webhook) Pending" in shown(grace, asked)

    Notice.objects.update(
        status="dead", next_attempt_at=None, ended_at="2026-01-01T00:00:00Z", attempts=9, last_error="answered 500"
    )
    for page in (shown(grace, asked), text(grace.get("notices/notice/"))):
        assert "9 attempts, last: answered 500" in page
        assert "secret-path" not in page
    assert "Resend" in shown(grace, asked)
    assert "Resend" not in shown(vera, asked)

    notice = Notice.objects.get()
    assert "The notice is sent again now." in text(grace.act("notices/notice", "resend", str(notice.pk)))
    assert Notice.objects.get().status == "pending"


def test_key_behind_a_decision_is_named(person, api, ask):
    asked = ask("Refund?")
    api.post(f"/intents/{asked['intent_id']}/decisions", {"decision": "yes", "arbitration_id": asked["id"]})

    for path in (f"{INBOX}{asked['id']}/change/", "governance/decision/"):
        assert "via dev-user, dev mode" in text(person("operator", f"olga{len(path)}").get(path))


def test_queries_of_a_question_do_not_grow_with_its_notices(person, api, ask):
    grace, asked = person("arbiter"), ask("Refund?")
    page = f"{INBOX}{asked['id']}/change/"
    before = grace.queries(page)
    for number in range(5):
        make_channel(api, f"https://hooks.example.com/{number}")
    assert grace.queries(f"{INBOX}{ask('Another?')['id']}/change/") <= before + 1


def test_all_that_are_found_are_those_of_the_assignee(person, ask):
    grace = person("arbiter")
    mine, other = ask("Roll back?", options=["Yes"]), ask("Fix forward?", options=["Yes"])
    assign(grace, mine, "user:grace")

    review = grace.post(f"{INBOX}answer/?assignee=me", {"select_across": "1", "label": "Yes"})

    assert mine["reason"] in text(review)
    assert other["reason"] not in text(review)


def test_inbox_says_that_nothing_is_assigned_to_the_person(person, ask):
    ask("Roll back?")
    assert "No questions here are assigned to you." in text(person("arbiter").get(INBOX, {"assignee": "me"}))


def test_withdrawing_all_that_match_is_about_pending_questions_alone(api, person, ask):
    alike = [ask(f"Ship part {number}?", options=["Ship"]) for number in range(3)]
    judy = person("arbiter")
    judy.post(f"{INBOX}{alike[0]['id']}/decide/", {"decision": "Ship"})
    sent = {"action": "withdraw", "index": 0, "select_across": "1", "_selected_action": [alike[1]["id"]]}

    asked = judy.post(f"{INBOX}?q=Ship+part", sent)
    assert ">Withdraw 2</button>" in asked.text
    done = judy.post(f"{INBOX}?q=Ship+part", {**sent, "confirmed": "yes"}, follow=True)

    assert "not recorded" not in done.text
    statuses = [api.get(f"/arbitrations/{each['id']}").json()["status"] for each in alike]
    assert statuses == ["resolved", "withdrawn", "withdrawn"]
