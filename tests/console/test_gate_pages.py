"""Gates in the console: operators set and remove them, others read (rule A-12)."""

import html
import re

import pytest

from governance.models import Gate

GATES = "governance/gate"


def text(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def fields(**changed):
    given = {
        "verb": "set_status",
        "intent_id": "",
        "portfolio_id": "",
        "when": "",
        "quorum": "1",
        "deciders": "",
        "permit_seconds": "",
    }
    return {**given, **changed}


@pytest.mark.rule("A-12")
def test_operator_sets_a_gate_that_holds_at_once(person, agent, make_intent):
    olga, intent = person("operator", "olga"), make_intent()
    assert 'value="set_status"' in olga.get(f"{GATES}/add/").text

    given = fields(when='{"status": "completed"}', deciders="user:olga\n\n", permit_seconds="600", intent_id=intent["id"])
    told = text(olga.post(f"{GATES}/add/", given, follow=True))

    assert "The gate of set_status is set." in told
    gate = Gate.objects.get()
    assert (gate.when, gate.deciders, gate.permit_seconds, gate.created_by) == (
        {"status": "completed"},
        ["user:olga"],
        600,
        "user:olga",
    )
    refused = agent("ada").post(f"/intents/{intent['id']}/status", {"status": "completed"}, version=1)
    assert (refused.status_code, refused.json()["code"]) == (403, "permit_required")


@pytest.mark.rule("A-12")
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"verb": "set_gate"}, "No gate can bind set_gate"),
        ({"when": "{"}, "Enter JSON, such as"),
        ({"when": "[]"}, "Enter a JSON object"),
        ({"when": '{"color": "red"}'}, "A gate of set_status cannot be limited by it."),
        ({"intent_id": "x"}, "Must be an id (a UUID)"),
        ({"deciders": "user:nobody"}, "Nobody named 'nobody' can sign in."),
        ({"quorum": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"permit_seconds": "100000"}, "86400"),
    ],
)
def test_form_says_what_the_api_says(person, changed, problem):
    refused = person("operator", "olga").post(f"{GATES}/add/", fields(**changed))

    assert problem.casefold() in text(refused).casefold()
    assert changed.get("verb", "set_status") in refused.text
    assert not Gate.objects.exists()


@pytest.mark.rule("A-12")
def test_arbiter_reads_gates_and_neither_sets_nor_removes_them(person, api):
    gate = api.post("/gates", {"verb": "publish", "when": {"channel": "press"}}).json()
    grace = person("arbiter")

    assert "publish when" in text(grace.get(f"{GATES}/"))
    page = text(grace.get(f"{GATES}/{gate['id']}/change/"))
    assert '{"channel":"press"}' in page
    assert "Remove" not in page
    assert grace.get(f"{GATES}/add/").status_code == 403
    assert grace.post(f"{GATES}/add/", fields()).status_code == 403
    assert grace.act(GATES, "remove", gate["id"]).status_code == 403
    assert Gate.objects.filter(removed_at=None).count() == 1


@pytest.mark.rule("A-12")
def test_operator_removes_a_gate(person, api):
    gate = api.post("/gates", {"verb": "publish"}).json()
    olga = person("operator", "olga")

    told = olga.act(GATES, "remove", gate["id"], back=f"/admin/{GATES}/{gate['id']}/change/")
    assert "Removed: publish." in text(told)
    assert told.request["PATH_INFO"] == f"/admin/{GATES}/"
    assert api.get("/gates").json()["gates"] == []
    assert "No gates" in text(olga.get(f"{GATES}/"))


def test_setting_a_gate_needs_its_csrf_token(person):
    assert person("operator", "olga", enforce_csrf_checks=True).post(f"{GATES}/add/", fields()).status_code == 403
