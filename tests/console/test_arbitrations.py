"""The inbox of questions, the page of one, and deciding there."""

import html
import re
from datetime import timedelta

import pytest

from console.json_tree import MAX_VALUES, render_tree
from core.db import database_now
from governance.models import Arbitration, Decision
from intents.models import Event
from tests.conftest import fresh, log
from tests.console.users import record_decision_by, request_decision_by

INBOX = "governance/arbitration/"


def in_minutes(minutes):
    return (database_now() + timedelta(minutes=minutes)).isoformat()


def page(question):
    return f"{INBOX}{question['id']}/change/"


def send(person, question, **fields):
    return person.post(f"{INBOX}{question['id']}/decide/", fields)


def titles(response):
    return re.findall(r'oi-question-title"[^>]*>([^<]*)<', response.text)


def rows():
    return [[*Arbitration.objects.order_by("pk").values()], [*Decision.objects.order_by("pk").values()], Event.objects.count()]


# --- the inbox -------------------------------------------------------------------------------------------------------


@pytest.mark.case("console M6")
def test_inbox_lists_blocking_questions_first_each_group_by_deadline(person, ask):
    ask("old")
    ask("blocks", blocking=True)
    ask("new")
    ask("in two hours", expires_at=in_minutes(120))
    ask("in five minutes", expires_at=in_minutes(5))
    ask("blocks until then", blocking=True, expires_at=in_minutes(180))
    inbox = person("viewer").get(INBOX)

    assert titles(inbox) == ["blocks until then", "blocks", "in five minutes", "in two hours", "old", "new"]
    assert "Questions that block work come first" in inbox.text


def test_the_next_question_is_that_below_it_in_the_inbox(person, ask):
    last = ask("last")
    first = ask("first", blocking=True, expires_at=in_minutes(5))
    second = ask("second", blocking=True)
    third = ask("third", expires_at=in_minutes(5))
    viewer, shown, after = person("viewer"), [], {}

    for _ in range(5):
        target = viewer.get(f"{INBOX}next/", after).headers["Location"]
        shown.append(target.split("/")[-3])
        after = {"after": shown[-1]}

    assert shown == [each["id"] for each in (first, second, third, last, first)]


def test_without_a_pending_question_the_next_one_is_the_inbox(person):
    assert person("viewer").get(f"{INBOX}next/", {"after": "nonsense"}).headers["Location"] == f"/admin/{INBOX}"
    assert person(None, "nora").get(f"{INBOX}next/").status_code == 302


def test_all_that_match_a_search_are_answered_and_the_search_is_kept(api, person, ask):
    alike = [ask(f"Ship part {number}?", options=["Ship", "Keep"]) for number in range(4)]
    other = ask("Something else?", options=["Ship"])
    back = f"/admin/{INBOX}?q=Ship+part"
    sent = {"select_across": "1", "label": "Ship", "back": back, "_selected_action": [alike[0]["id"]]}
    arbiter = person("arbiter")

    review = arbiter.post(f"{INBOX}answer/?q=Ship+part", sent)
    answers = dict(re.findall(r'name="(answer-[^"]+)" value="([^"]+)"', review.text))
    kept = html.unescape(re.search(r'name="back" value="([^"]+)"', review.text)[1])
    recorded = arbiter.post(f"{INBOX}answer/", {**answers, "back": kept, "confirmed": "yes"})

    assert answers == {f"answer-{each['id']}": "Ship" for each in alike}
    assert recorded.headers["Location"] == back
    assert {api.get(f"/arbitrations/{each['id']}").json()["status"] for each in alike} == {"resolved"}
    assert api.get(f"/arbitrations/{other['id']}").json()["status"] == "pending"


def test_the_count_of_a_tab_follows_the_search(person, ask):
    ask("Ship part 1?")
    ask("Something else?")

    assert re.search(r">Pending <b[^>]*>1</b>", person("viewer").get(INBOX, {"q": "Ship"}).text)


def test_the_review_leads_to_the_inbox_after_a_new_sign_in(person):
    assert person("arbiter").get(f"{INBOX}answer/").headers["Location"] == f"/admin/{INBOX}"


def test_the_tabs_show_what_became_of_the_others(api, agent, person, ask):
    decided, withdrawn, waiting = ask("a"), ask("b"), ask("c")
    api.post(f"/intents/{decided['intent_id']}/decisions", {"decision": "north", "rationale": "warmer"})
    agent("ada").post(f"/arbitrations/{withdrawn['id']}/withdraw")
    grace = person("viewer")

    assert titles(grace.get(INBOX)) == ["c"]
    assert titles(grace.get(INBOX, {"state": "resolved"})) == ["a"]
    assert "north" in grace.get(INBOX, {"state": "resolved"}).text
    assert titles(grace.get(INBOX, {"state": "withdrawn"})) == ["b"]
    Arbitration.objects.filter(pk=waiting["id"]).update(
        created_at=database_now() - timedelta(hours=2), expires_at=database_now() - timedelta(hours=1)
    )
    assert titles(grace.get(INBOX, {"state": "expired"})) == ["c"]
    assert titles(grace.get(INBOX, {"state": "all"})) == ["c", "b", "a"]
    assert "No pending questions" in grace.get(INBOX).text
    assert "client.request_arbitration(" in grace.get(INBOX).text


def test_search_finds_questions_by_text_agent_and_intent(person, ask):
    ask("Roll back?", by="sre-agent")
    ask("Name it?")
    grace = person("viewer")

    assert titles(grace.get(INBOX, {"q": "roll"})) == ["Roll back?"]
    assert titles(grace.get(INBOX, {"q": "sre-ag"})) == ["Roll back?"]
    assert titles(grace.get(INBOX, {"q": "About: Name"})) == ["Name it?"]
    assert "No questions here match “nowhere”" in grace.get(INBOX, {"q": "nowhere"}).text


def test_a_blocking_question_says_how_many_wait(api, person, ask, make_intent):
    intent = make_intent(title="Contain")
    make_intent(title="Repair", depends_on=[intent["id"]])
    ask("Roll back?", intent=intent, blocking=True)

    assert "is blocked, along with 1 other" in " ".join(person("viewer").get(INBOX).text.split())
    assert "Repair" in person("viewer", "vera").get(page({"id": Arbitration.objects.get().pk})).text


def test_several_are_answered_in_one_go_after_one_question_back(api, person, ask):
    first, second, third = ask("a", options=["Yes", "No"]), ask("b", options=["Yes", "No"]), ask("c", options=["Red"])
    before = rows()
    grace = person("arbiter")
    answers = {f"answer-{first['id']}": "Yes", f"answer-{second['id']}": "No", f"answer-{third['id']}": "Red"}

    review = grace.post(f"{INBOX}answer/", answers).text
    assert "Submit 3 decisions" in review
    assert rows() == before
    told = grace.post(f"{INBOX}answer/", {**answers, "rationale": "All checked", "confirmed": "yes"}, follow=True).text

    assert "Decided: a → Yes, b → No, c → Red." in told
    made = Decision.objects.order_by("pk").values_list("arbitration__reason", "decision", "rationale", "decided_by")
    assert [*made] == [
        ("a", "Yes", "All checked", "user:grace"),
        ("b", "No", "All checked", "user:grace"),
        ("c", "Red", "All checked", "user:grace"),
    ]


def test_shared_answer_skips_questions_that_do_not_offer_it(person, ask):
    chosen = [ask("a", options=["Yes", "No"]), ask("b", options=["Yes"]), ask("c", options=["Red"]), ask("d")]
    grace = person("arbiter")
    assert '<option value="Yes">' in grace.get(INBOX).text
    assert '<option value="Red">' not in grace.get(INBOX).text

    review = grace.post(f"{INBOX}answer/", {"label": "Yes", "_selected_action": [each["id"] for each in chosen]}).text

    assert "Submit 2 decisions" in review
    assert "“Yes” is not one of its options" in review
    assert "It needs a free-text answer" in review


def test_questions_decided_meanwhile_are_reported_and_others_recorded(api, person, ask):
    first, second = ask("a", options=["Yes", "No"]), ask("b", options=["Yes", "No"])
    answers = {f"answer-{first['id']}": "Yes", f"answer-{second['id']}": "Yes"}
    record_decision_by("ines", first, "No")

    told = person("arbiter").post(f"{INBOX}answer/", {**answers, "confirmed": "yes"}, follow=True).text

    assert "a: ines just decided: No. That was " in told
    assert "Decided: b → Yes." in told
    assert [*Decision.objects.order_by("pk").values_list("decision", flat=True)] == ["No", "Yes"]


def test_empty_selection_is_reported_and_invalid_input_decides_nothing(person, ask):
    question = ask("a", options=["Yes"])
    before = rows()
    grace = person("arbiter")

    assert "Choose an option for at least one question." in grace.post(f"{INBOX}answer/", {}, follow=True).text
    for sent in ({"answer-nonsense": "Yes"}, {f"answer-{question['id']}": "Perhaps"}):
        assert grace.post(f"{INBOX}answer/", {**sent, "confirmed": "yes"}, follow=True).status_code == 200
    assert rows() == before


def test_a_viewer_sees_questions_and_no_way_to_answer(person, ask):
    question = ask("a", options=["Yes"])
    vera = person("viewer")

    assert "oi-chip" not in vera.get(INBOX).text
    assert 'id="oi-decide"' not in vera.get(page(question)).text
    assert vera.post(f"{INBOX}answer/", {f"answer-{question['id']}": "Yes", "confirmed": "yes"}).status_code == 403
    assert send(vera, question, decision="Yes").status_code == 403
    assert not Decision.objects.exists()


# --- one question ----------------------------------------------------------------------------------------------------


def test_the_page_shows_what_its_reader_needs(api, agent, person, ask):
    question = ask(
        "Roll back?",
        options=[{"label": "Yes", "rationale": "Known to work."}, {"label": "No"}],
        context={"error_rate": 0.08, "release": {"id": 2481}},
        blocking=True,
    )
    agent("ada").post(f"/intents/{question['intent_id']}/events", {"event_type": "comment", "payload": {"message": "Hurry"}})
    version = fresh(api, question["intent_id"])["version"]
    patch = {"patches": [{"op": "set", "path": "checked", "value": 2}, {"op": "set", "path": "/new/deep", "value": "x"}]}
    agent("ada").post(f"/intents/{question['intent_id']}/state", patch, version=version)

    shown = " ".join(re.sub(r"<[^>]*>", " ", person("arbiter").get(page(question)).text).split())

    assert "Roll back? ada via agent-research, dev mode asked" in shown
    assert "Known to work." in shown
    assert "error_rate 0.08" in shown
    assert "release 1 field id 2481" in shown
    assert "About: Roll back?" in shown
    assert "checked 1 2" in shown  # Then, and now.
    assert "new not set" in shown
    assert "comment ada via agent-research, dev mode Hurry" in shown


def test_other_questions_about_the_intent_are_there_with_their_answers(api, person, ask, make_intent):
    intent = make_intent()
    first = ask("First?", intent=intent)
    api.post(f"/intents/{intent['id']}/decisions", {"decision": "go north", "arbitration_id": first["id"]})
    second = ask("Second?", intent=intent)

    shown = person("viewer").get(page(second)).text

    assert page(first) in shown
    assert "go north" in shown


def test_decision_records_rationale_and_evidence_and_links_next_question(api, person, ask):
    question, _ = ask("Roll back?", options=["Yes", "No"], blocking=True), ask("Something else?")
    grace = person("arbiter")
    sent = {"decision": "Yes", "rationale": "Line\r\nfeed", "source_1": "log", "summary_1": "8 %", "source_2": "Ines"}

    response = grace.post(f"{INBOX}{question['id']}/decide/", sent, follow=True)

    made = Decision.objects.get()
    assert (made.decision, made.rationale, made.decided_by) == ("Yes", "Line\nfeed", "user:grace")
    assert made.evidence == [{"source": "log", "summary": "8 %"}, {"source": "Ines", "summary": None}]
    assert ("decision_recorded", "user:grace") in log(api, question | {"id": question["intent_id"]})
    assert "Decided: Yes." in response.text
    assert "Something else?" in response.text


@pytest.mark.parametrize("label", ["a b", " padded ", "<b>", "1"])
def test_every_label_can_be_chosen_as_browsers_send_it(person, ask, label):
    question = ask("Which?", options=[label, "other"])

    send(person("arbiter"), question, decision=label)

    assert Decision.objects.get().decision == label


@pytest.mark.rule("A-3")
def test_second_decision_shows_the_first_and_keeps_entered_text(api, person, ask):
    question = ask("Roll back?", options=["Yes", "No"])
    send(person("arbiter", "ines"), question, decision="No", rationale="Too late for that")
    before = rows()

    late = send(person("arbiter", "grace"), question, decision="Yes", rationale="Known to work")

    assert late.status_code == 409
    assert re.search(r"ines just decided: No.*before you submitted\. Your answer was not recorded\.", late.text, re.DOTALL)
    assert "<b>Your answer:</b> Yes" in late.text
    assert "Known to work</textarea>" in late.text
    assert rows() == before


def test_a_second_click_on_the_same_answer_is_no_conflict(person, ask):
    question, grace = ask("Roll back?", options=["Yes", "No"]), person("arbiter")
    send(grace, question, decision="Yes")

    assert send(grace, question, decision="Yes").status_code == 302
    assert Decision.objects.count() == 1


@pytest.mark.rule("A-5")
def test_answer_to_an_expired_or_withdrawn_question_is_explained(agent, person, ask):
    expired, withdrawn = ask("a"), ask("b")
    Arbitration.objects.filter(pk=expired["id"]).update(
        created_at=database_now() - timedelta(hours=2), expires_at=database_now() - timedelta(minutes=3)
    )
    agent("ada").post(f"/arbitrations/{withdrawn['id']}/withdraw", {"reason": "found out myself"})
    grace, before = person("arbiter"), rows()

    first, second = send(grace, expired, decision="North"), send(grace, withdrawn, decision="South")

    assert (first.status_code, second.status_code) == (409, 409)
    assert "It expired 3m 0" in first.text
    assert "ada withdrew this question" in second.text
    assert "found out myself" in second.text
    assert "North" in first.text
    assert rows() == before


def test_missing_fields_are_reported_and_entered_text_stays(person, ask):
    question = ask("Roll back?", options=["Yes", "No"])

    response = send(person("arbiter"), question, rationale="Because", summary_2="of what?")

    assert response.status_code == 400
    assert "Choose an option." in response.text
    assert "Enter a source for evidence 2." in response.text
    assert "Because</textarea>" in response.text
    assert 'value="of what?"' in response.text
    assert not Decision.objects.exists()


@pytest.mark.rule("A-4")
def test_requester_has_no_decision_form_and_is_refused(person, make_intent):
    question = {"id": str(request_decision_by("grace", make_intent(), "May I?", "Yes").pk)}
    grace, before = person("arbiter"), rows()

    assert "You asked this question" in grace.get(page(question)).text
    assert "You asked this question" in grace.get(INBOX).text
    assert 'id="oi-decide"' not in grace.get(page(question)).text
    assert send(grace, question, decision="Yes").status_code == 403
    answers = {f"answer-{question['id']}": "Yes", "confirmed": "yes"}
    assert "You asked this question" in grace.post(f"{INBOX}answer/", answers, follow=True).text
    assert rows() == before
    assert 'id="oi-decide"' in person("operator", "olga").get(page(question)).text


def test_withdrawing_what_was_decided_meanwhile_is_told_kindly(api, person, ask):
    question = ask("a")
    record_decision_by("ines", question, "north")

    told = person("arbiter").act("governance/arbitration", "withdraw", question["id"]).text

    assert "a: ines just decided: north" in told


def test_markup_stays_text_wherever_it_stands(api, person, ask, make_intent):
    bad = "<script>alert(1)</script>"
    intent = make_intent(title=bad, description=bad, state={bad: bad})
    question = ask(bad, intent=intent, options=[{"label": bad, "rationale": bad}], context={bad: [bad, {bad: bad}]})
    grace = person("arbiter")
    pages = [INBOX, page(question)]
    send(grace, question, decision=bad, rationale=bad)
    decision = Decision.objects.get()
    pages += [f"{INBOX}?state=all", page(question), "governance/decision/", f"governance/decision/{decision.pk}/change/"]

    for each in pages:
        shown = grace.get(each).text
        assert bad not in shown, each
        assert "alert(1)" in shown, each


def test_a_large_context_is_cut_and_says_so():
    shown = render_tree({f"key {number}": {"deep": number} for number in range(MAX_VALUES)})

    assert shown.count("<li") <= MAX_VALUES + 2
    assert re.search(r"and \d+ more", shown)


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_the_pages_cost_the_same_queries_whatever_there_is(api, agent, person, ask, make_intent):
    def more(count):
        intent = make_intent(title="Large", state={"n": 0})
        make_intent(depends_on=[intent["id"]])
        for number in range(count):
            api.post(f"/intents/{intent['id']}/decisions", {"decision": "x", "arbitration_id": ask("?", intent=intent)["id"]})
            ask(f"{number}?", blocking=True, options=["Yes", "No"])
        question = ask("The last?", intent=intent, options=["Yes", "No"], blocking=True)
        for number in range(count):
            version = fresh(api, intent)["version"]
            api.post(f"/intents/{intent['id']}/state", {"state": {"n": number + 1}}, version=version)
        return question

    grace = person("operator")
    small = more(1)
    lists = [INBOX, f"{INBOX}?state=resolved", "governance/decision/"]
    before = [grace.queries(each) for each in [page(small), *lists]]
    large = more(12)

    assert [grace.queries(each) for each in [page(large), *lists]] == before
    assert 4 < min(before) <= max(before) <= 16
