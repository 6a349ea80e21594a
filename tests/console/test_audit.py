"""Audit log: who signed in and what people did, as a page and an export, for operators."""

import csv
import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from access.audit_log import delete_old, record
from access.models import AuditEntry
from console.sign_in import throttle
from core.db import database_now
from tests.console.users import PASSWORD, PEOPLE

AUDIT = "audit/"
ADDRESS = "203.0.113.7"
SECRETS = ("my-guess", PASSWORD)


def sign_in(name, password=PASSWORD, client=None):
    return (client or Client()).post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=ADDRESS)


def acts(page):
    """Return who did what, the newest first."""
    found = re.findall(r"<p><b>(.*?)</b> <(?:a|span)[^>]*oi-row-title[^>]*>(.*?)<", page.text, re.DOTALL)
    return [(re.sub(r"<[^>]+>|person", "", who).strip(), what) for who, what in found]


def exported(someone, form, query=None):
    answer = someone.get(f"audit/export.{form}", query)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def exported_lines(someone, query=None):
    """Return the lines of the CSV but for those about exports."""
    lines = csv.DictReader(StringIO(exported(someone, "csv", query)))
    return [line for line in lines if line["action"] != "audit_exported"]


@pytest.mark.case("security L7")
def test_sign_ins_changes_and_decisions_are_there_the_newest_first(olga, vera, ask):
    client = Client()
    sign_in("vera", "my-guess", client)
    sign_in("vera", PASSWORD, client)
    client.post("/admin/logout/", REMOTE_ADDR=ADDRESS)
    asked = ask("Ship it?")
    olga.post(f"governance/arbitration/{asked['id']}/decide/", {"decision": "Yes"})
    olga.act(PEOPLE, "switch_off", vera.user.pk)
    olga.post("access/apikey/add/", {"name": "night shift", "role": "agent"})

    page = olga.get(AUDIT)

    assert acts(page) == [
        ("olga", "key_created"),
        ("olga", "person_switched_off"),
        ("olga", "decision_recorded"),
        ("vera", "signed_out"),
        ("vera", "signed_in"),
        ("unknown", "sign_in_failed"),
    ]
    assert f"from {ADDRESS}" in page.text
    assert "About: Ship it?" in page.text
    assert not [secret for secret in SECRETS if secret in page.text]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "sign-ins"}, ["signed_in", "sign_in_failed"]),
        ({"kind": "access"}, ["key_created"]),
        ({"kind": "decisions"}, ["decision_recorded"]),
        ({"kind": "acts"}, ["comment"]),
        ({"person": "vera"}, ["signed_in", "sign_in_failed"]),
        ({"person": "olga", "kind": "decisions"}, ["decision_recorded"]),
        ({"person": "nobody"}, []),
        ({"until": "2020-01-01"}, []),
        ({"from": "2020-01-01"}, ["comment", "key_created", "decision_recorded", "signed_in", "sign_in_failed"]),
    ],
)
def test_lines_are_narrowed_by_person_kind_and_period(olga, vera, ask, query, expected):
    sign_in("vera", "my-guess")
    sign_in("vera")
    asked = ask("Ship it?")
    olga.post(f"governance/arbitration/{asked['id']}/decide/", {"decision": "Yes"})
    olga.post("access/apikey/add/", {"name": "night shift", "role": "agent"})
    olga.post(f"intents/intent/{asked['intent_id']}/do/comment/", {"message": "Thanks", "confirmed": "yes"})

    assert [what for _, what in acts(olga.get(AUDIT, query))] == expected
    assert [line["action"] for line in exported_lines(olga, query)] == expected


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"from": "yesterday"}, "“From” is no date: &#x27;yesterday&#x27;. Use one such as 2026-11-29."),
        ({"until": "2020-13-01"}, "“Until” is no date: &#x27;2020-13-01&#x27;. Use one such as 2026-11-29."),
        ({"kind": "nonsense"}, "Unknown kind: &#x27;nonsense&#x27;."),
    ],
)
def test_unknown_period_or_kind_is_refused_on_the_page_and_in_the_export(olga, query, told):
    page, export = olga.get(AUDIT, query), olga.get("audit/export.csv", query)

    assert (page.status_code, export.status_code) == (400, 400)
    assert told in page.text
    assert not acts(page)


def test_every_line_is_on_one_page_though_instants_are_shared(olga, make_intent, monkeypatch):
    monkeypatch.setattr("console.audit.pages.SHOWN", 3)
    monkeypatch.setattr("console.audit.entries.BATCH", 2)
    intent, now = make_intent(), database_now()
    for number in range(5):
        olga.post(f"intents/intent/{intent['id']}/do/comment/", {"message": str(number), "confirmed": "yes"})
        AuditEntry.objects.create(at=now, action=f"act_{number}", actor="user:olga", subject="user:olga")

    found, page = [], olga.get(AUDIT)
    while True:
        found += [what for _, what in acts(page)]
        older = re.search(r'rel="next" href="([^"]+)"', page.text)
        if not older:
            break
        page = olga.get(AUDIT + older[1].replace("&amp;", "&"))

    assert sorted(found) == sorted([f"act_{number}" for number in range(5)] + ["comment"] * 5)
    assert sorted(line["action"] for line in exported_lines(olga)) == sorted(found)


def test_exports_are_safe_in_spreadsheets_and_whole_as_json(olga, make_intent):
    intent = make_intent(title="=HYPERLINK(1)")
    olga.post(f"intents/intent/{intent['id']}/do/comment/", {"message": '+1, "two"\nlines', "confirmed": "yes"})

    headers = olga.get("audit/export.csv").headers
    [cells] = exported_lines(olga)
    exports, comment = [], None
    for line in map(json.loads, exported(olga, "jsonl").splitlines()):
        if line["action"] == "audit_exported":
            exports.append(line)
        else:
            comment = line

    assert "attachment" in headers["Content-Disposition"]
    assert "no-store" in headers["Cache-Control"]
    assert cells["subject"] == "'=HYPERLINK(1)"
    assert cells["details"].startswith("'+1")
    assert (comment["actor"], comment["subject"], comment["intent_id"]) == ("user:olga", "=HYPERLINK(1)", intent["id"])
    assert [line["details"] for line in exports] == ["format jsonl", "format csv", "format csv"]


@pytest.mark.parametrize("role", ["viewer", "arbiter", None])
def test_only_operators_see_and_export_it(person, role):
    someone = person(role)

    for path in (AUDIT, "audit/export.csv", "audit/export.jsonl"):
        assert someone.get(path).status_code in ((302, 403) if role is None else (403,))
    if role:
        assert "/admin/audit/" not in someone.get("intents/intent/").text


@pytest.mark.parametrize("value", ["\0", "9" * 40, "-1", "x-y", "2026-02-30", "<script>", "0001-01-01", "9999-12-31"])
def test_hostile_values_are_no_failure_and_escaped(olga, value):
    is_day = value in ("0001-01-01", "9999-12-31")
    for name in ("person", "kind", "from", "until", "before"):
        page = olga.get(AUDIT, {name: value})
        is_refused = name == "kind" or (name in ("from", "until") and not is_day)
        assert page.status_code == (400 if is_refused else 200)
        assert '<script>"' not in page.text
    assert olga.get(AUDIT, {"persn": "x"}).status_code == 400


def test_acts_of_agents_are_not_listed(olga, agent, make_intent):
    intent = make_intent()
    agent("ada").post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"message": "hello"}})

    assert acts(olga.get(AUDIT)) == []
    assert "Nothing recorded yet" in olga.get(AUDIT).text


def test_throttled_attempts_are_kept_once_a_minute(olga, vera):
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT + 5):
        sign_in("vera", "my-guess")

    assert AuditEntry.objects.filter(action="sign_in_throttled").count() == 1


def test_entries_are_not_changed_and_go_when_they_are_old(db, settings):
    settings.AUDIT_KEEP_DAYS = 30
    record("signed_in", actor="user:vera", subject="user:vera", address=ADDRESS, by="password")
    entry = AuditEntry.objects.get()
    old = database_now() - timedelta(days=31)
    AuditEntry.objects.create(at=old, action="signed_in", actor="user:vera", subject="user:vera")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(actor="user:olga")

    assert delete_old() == 1
    assert [*AuditEntry.objects.values_list("pk", "details")] == [(entry.pk, {"by": "password"})]


def test_the_page_costs_the_same_queries_whatever_there_is(olga, make_intent):
    intent = make_intent()

    def act():
        olga.post(f"intents/intent/{intent['id']}/do/comment/", {"message": "Hello", "confirmed": "yes"})
        record("role_given", actor="user:olga", subject="user:vera", role="viewer")

    act()
    before = olga.queries(AUDIT)
    for _ in range(10):
        act()

    assert olga.queries(AUDIT) == before <= 10
