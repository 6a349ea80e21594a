"""Assigning a question to a person, and sending it back for more information (rules H-8, H-9)."""

from typing import Any

import pytest

from access.roles import grant_role
from governance import services
from governance.models import Arbitration
from tests.conftest import fresh, log
from tests.governance.conftest import LATER, database_rows, decide, make_arbitration, make_overdue
from tests.governance.test_questions import answer_as, person, refusal, refused


@pytest.fixture
def judge(django_user_model):
    """`judge("olga")`: the actor of a person who is an arbiter."""

    def make(name: str) -> Any:
        made = person(django_user_model, name)
        grant_role(django_user_model.objects.get(username=name), "arbiter")
        return made

    return make


@pytest.fixture
def asked(ada, intent):
    return make_arbitration(ada, intent, expires_at=LATER)


def assign(caller: Any, asked: dict[str, Any], assignee: str | None) -> Any:
    return caller.post(f"/arbitrations/{asked['id']}/assign", {"assignee": assignee})


def ask_back(caller: Any, asked: dict[str, Any], question: str = "Which customers?") -> Any:
    return caller.post(f"/arbitrations/{asked['id']}/request-information", {"question": question})


def provide(caller: Any, asked: dict[str, Any], answer: str = "All 212.") -> Any:
    return caller.post(f"/arbitrations/{asked['id']}/information", {"answer": answer})


def last_event(api: Any, intent: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    event = api.get(f"/intents/{intent['id']}/events").json()["events"][-1]
    return event["event_type"], event["actor"], event["payload"]


@pytest.mark.rule("H-8")
def test_question_is_assigned_to_a_person_and_found_by_it(api, arbiter, intent, asked, ada, judge):
    judge("olga")
    other = make_arbitration(ada, intent, reason="And this?")

    answered = assign(arbiter("judy"), asked, "user:olga")

    assert (answered.status_code, answered.json()["assignee"]) == (200, "user:olga")
    about = {"arbitration_id": asked["id"], "assignee": "user:olga", "previous": None}
    assert last_event(api, intent) == ("arbitration_assigned", "judy", about)
    found = api.get("/arbitrations", assignee="user:olga", status="pending").json()["arbitrations"]
    assert [each["id"] for each in found] == [asked["id"]]
    assert api.get(f"/arbitrations/{other['id']}").json()["assignee"] is None

    assert assign(arbiter("judy"), asked, None).json()["assignee"] is None
    assert last_event(api, intent)[2]["previous"] == "user:olga"


@pytest.mark.rule("H-8")
def test_same_assignment_again_changes_nothing(api, arbiter, intent, asked, judge):
    judge("olga")
    assign(arbiter("judy"), asked, "user:olga")
    before = database_rows()

    assert assign(arbiter("judy"), asked, "user:olga").status_code == 200
    assert database_rows() == before


@pytest.mark.rule("H-8")
@pytest.mark.parametrize(
    ("assignee", "code"),
    [("user:vera", "may_not_decide"), ("user:nobody", "unknown_person"), ("group:arbiter", "no_person"), ("vera", "invalid")],
)
def test_person_who_may_not_decide_is_not_assigned(api, arbiter, asked, django_user_model, assignee, code):
    person(django_user_model, "vera")
    before = database_rows()

    assert refusal(assign(arbiter("judy"), asked, assignee)) == (400, "invalid", [("assignee", code)])
    assert database_rows() == before


@pytest.mark.rule("H-8")
def test_assignment_gives_no_right_and_takes_none(api, arbiter, intent, asked, judge, django_user_model):
    olga = judge("olga")
    assign(arbiter("judy"), asked, "user:olga")
    django_user_model.objects.get(username="olga").groups.clear()

    with refused():
        answer_as(olga, asked)
    assert decide(arbiter("judy"), intent, "yes").status_code == 201


@pytest.mark.rule("H-8")
def test_audience_assigns_and_is_assigned_and_others_do_not(ada, bob, intent, django_user_model):
    grace = person(django_user_model, "grace")
    asked = make_arbitration(ada, intent, audience=["user:grace"])

    services.assign_arbitration(arbitration_id=Arbitration.objects.get().pk, actor=grace, assignee="user:grace")
    assert assign(bob, asked, None).status_code == 403
    assert assign(ada, asked, None).status_code == 403
    assert Arbitration.objects.get().assignee == "user:grace"


@pytest.mark.rule("H-8")
@pytest.mark.parametrize("end", ["decided", "withdrawn", "expired"])
def test_question_that_has_ended_is_neither_assigned_nor_sent_back(api, ada, arbiter, intent, asked, judge, end):
    judge("olga")
    if end == "decided":
        decide(arbiter("judy"), intent, "yes")
    elif end == "withdrawn":
        ada.post(f"/arbitrations/{asked['id']}/withdraw", {})
    else:
        make_overdue(Arbitration, asked)
    before = database_rows()

    for response in (assign(arbiter("judy"), asked, "user:olga"), ask_back(arbiter("judy"), asked), provide(ada, asked)):
        assert (response.status_code, response.json()["code"]) == (409, "arbitration_resolved")
    assert database_rows() == before


@pytest.mark.rule("H-9")
def test_question_is_sent_back_and_answered_without_a_decision(api, ada, arbiter, intent, asked):
    answered = ask_back(arbiter("judy"), asked)

    assert answered.status_code == 200, answered.json()
    assert last_event(api, intent) == (
        "information_requested",
        "judy",
        {"arbitration_id": asked["id"], "question": "Which customers?"},
    )
    provided = provide(ada, asked).json()
    assert last_event(api, intent)[:2] == ("information_provided", "ada")
    assert last_event(api, intent)[2] == {
        "arbitration_id": asked["id"],
        "question": "Which customers?",
        "answer": "All 212.",
    }
    [entry] = provided["information"]
    assert {name: entry[name] for name in ("question", "asked_by", "answer", "answered_by")} == {
        "question": "Which customers?",
        "asked_by": "judy",
        "answer": "All 212.",
        "answered_by": "ada",
    }
    assert entry["asked_at"] <= entry["answered_at"]
    unchanged = ("status", "expires_at", "decision", "votes")
    assert {name: provided[name] for name in unchanged} == {name: asked[name] for name in unchanged}
    assert decide(arbiter("judy"), intent, "yes").status_code == 201


@pytest.mark.rule("H-9")
def test_deadline_and_blocking_go_on_while_information_is_awaited(api, ada, arbiter, intent):
    asked = make_arbitration(ada, intent, expires_at=LATER, blocking=True)
    ask_back(arbiter("judy"), asked)
    assert fresh(api, intent)["status"] == "blocked"

    make_overdue(Arbitration, asked)
    assert api.get(f"/arbitrations/{asked['id']}").json()["status"] == "expired"
    assert ("arbitration_expired", "system") in log(api, intent)


@pytest.mark.rule("H-9")
def test_question_back_is_open_alone_and_answered_once(api, ada, arbiter, asked):
    assert provide(ada, asked).json()["code"] == "no_information_requested"
    ask_back(arbiter("judy"), asked)
    before = database_rows()

    second = ask_back(api, asked, "And since when?")
    assert (second.status_code, second.json()["code"], second.json()["question"]) == (
        409,
        "information_requested",
        "Which customers?",
    )
    assert database_rows() == before
    assert provide(ada, asked).status_code == 200
    again = provide(ada, asked, "Some others")
    assert (again.status_code, again.json()["code"]) == (409, "no_information_requested")
    assert ask_back(api, asked, "And since when?").status_code == 200


@pytest.mark.rule("H-9")
def test_only_deciders_ask_back_and_only_the_requester_answers(api, ada, bob, arbiter, intent, asked):
    assert ask_back(bob, asked).status_code == 403
    own = arbiter("judy").post(f"/intents/{intent['id']}/arbitrate", {"reason": "Mine?"}).json()
    assert ask_back(arbiter("judy"), own).json()["code"] == "self_decision"
    ask_back(api, asked)

    assert provide(bob, asked).status_code == 403
    assert provide(arbiter("judy"), asked).status_code == 403
    assert Arbitration.objects.get(pk=asked["id"]).open_information is not None


@pytest.mark.rule("H-9")
@pytest.mark.parametrize("question", ["", " ", "x" * 2_001, None, 5])
def test_question_back_needs_a_text(arbiter, asked, question):
    assert ask_back(arbiter("judy"), asked, question).status_code == 400


@pytest.mark.rule("H-9")
def test_there_are_twenty_questions_back_at_most(api, ada, asked):
    for number in range(20):
        assert ask_back(api, asked, f"Number {number}?").status_code == 200
        provide(ada, asked)
    assert (ask_back(api, asked).status_code, len(api.get(f"/arbitrations/{asked['id']}").json()["information"])) == (413, 20)
