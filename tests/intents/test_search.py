"""Search of intents by words and beginnings of ids (`GET /intents?q=`)."""

from uuid import uuid4

import pytest
from django.db import connection

from core.db import database_now, fetch_all
from governance import triggers as question_triggers
from intents import triggers as intent_triggers
from intents.models import Intent
from intents.search import INTENTS
from tests.conftest import fresh


def titles(api, q, **query):
    response = api.get("/intents", q=q, **query)
    assert response.status_code == 200, response.json()
    return [each["title"] for each in response.json()["intents"]]


@pytest.fixture
def shelf(api, make_intent):
    make_intent(title="Visa for Porto", description="See https://porto.example/visa_rules?id=7, then write to anna@porto.example")
    make_intent(title="Ship the ÄPFEL", description="Look into 100% of it: “crates”, boxes/pallets and 12e3 more")
    make_intent(title="Nothing like them")


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("visa", ["Visa for Porto"]),
        ("VIS", ["Visa for Porto"]),
        ("porto vis", ["Visa for Porto"]),
        ("vis porto lisbon", []),
        ("isa", []),
        ("rules", ["Visa for Porto"]),
        ("anna@porto.example", ["Visa for Porto"]),
        ("https://porto.example", ["Visa for Porto"]),
        ("äpf", ["Ship the ÄPFEL"]),
        ("apfel", []),
        ("crate", ["Ship the ÄPFEL"]),
        ("pallets", ["Ship the ÄPFEL"]),
        ("12e", ["Ship the ÄPFEL"]),
        ("100%", ["Ship the ÄPFEL"]),
        ("like", ["Nothing like them"]),
        ("THEM nothing", ["Nothing like them"]),
    ],
)
def test_all_words_are_found_by_their_beginnings(api, shelf, q, found):
    assert titles(api, q) == found


HOSTILE = {
    "quote": "'", "double quote": '"', "unbalanced": '("visa', "operators": "AND OR NOT", "near": "NEAR(visa porto, 2)", "column": "body:visa",
    "prefix": "*", "caret": "^visa", "tsquery": "visa & !porto | (x <-> y)", "weight": "visa:*A", "backslash": "\\", "percent": "%",
    "underscore": "_", "comment": "visa' OR 1=1 --", "semicolon": "; DROP TABLE intents_intent_words; --", "braces": "{}{0}%s%%",
    "emoji": "🙂", "trademark": "™ §", "marks": "हिन्दी", "right to left": "\u202eאבג", "full width": "ＡＢＣ１", "combining": "a\u0308\u0301\u0301",
    "many words": " ".join("abcdefghijklmnopqrstuvwxyz0123456789" * 6), "one long word": "x" * 500, "dashes": "-" * 36,
}  # fmt: skip


@pytest.mark.parametrize("q", HOSTILE.values(), ids=HOSTILE)
def test_hostile_search_finds_nothing_or_whole_words(api, shelf, q):
    assert set(titles(api, q)) <= {"Visa for Porto"}


@pytest.mark.parametrize(("q", "field"), [("a\0b", "q"), ("x" * 501, "q"), ("y" * 10_000, "q"), (" ", "q"), ("", "q")])
def test_search_that_cannot_be_one_is_refused(api, shelf, q, field):
    response = api.get("/intents", q=q)

    assert response.status_code == 400
    assert [each["field"] for each in response.json()["errors"]] == [field]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_written_and_found(api, make_intent, text):
    intent = make_intent(title=f"{text} needle"[-500:], description=text * 10)

    assert [each["id"] for each in api.get("/intents", q="needle").json()["intents"]] == [intent["id"]]


@pytest.mark.parametrize("length", [4, 8, 12, 13, 14, 23, 35, 36])
def test_intent_is_found_by_the_beginning_of_its_id(api, make_intent, length):
    intent = make_intent(title="One")

    assert titles(api, intent["id"][:length].upper()) == ["One"]
    assert titles(api, intent["id"].replace("-", "")[:length]) == ["One"]


def test_other_beginnings_are_not_ids(api, make_intent):
    make_intent(title="One")

    assert titles(api, str(uuid4())) == []
    assert titles(api, "019") == []
    assert titles(api, "0-1-9-a-b") == []


def test_search_follows_changes_of_the_text(api, make_intent):
    intent = make_intent(title="Book flights", description="To Porto")

    api.patch(f"/intents/{intent['id']}", {"title": "Book trains", "description": None}, version=intent["version"])

    assert titles(api, "trains") == ["Book trains"]
    assert titles(api, "flights") == titles(api, "porto") == []


def test_search_combines_with_filters_and_orders(api, make_intent):
    for number in range(3):
        make_intent(title=f"Part {number}", status="active" if number else "draft")

    assert titles(api, "part", status="active") == ["Part 2", "Part 1"]
    assert titles(api, "part", ordering="created_at") == ["Part 0", "Part 1", "Part 2"]


def test_pages_of_a_search_are_complete(api, make_intent):
    made = [make_intent(title=f"Page of {number}")["id"] for number in range(5)]
    make_intent(title="Something else")
    found, cursor = [], ""
    while cursor is not None:
        page = api.get("/intents", q="page", limit=2, cursor=cursor).json()
        found, cursor = found + [each["id"] for each in page["intents"]], page["next"]

    assert found == made[::-1]


def test_deleted_intents_leave_the_index(db):
    now = database_now()
    intent = Intent.objects.create(title="Short-lived", created_at=now, updated_at=now, last_event_at=now)
    assert INTENTS.search(Intent.objects.all(), "short").exists()

    intent.delete()

    assert not INTENTS.search(Intent.objects.all(), "short").exists()
    assert (
        fetch_all("SELECT id FROM " + {"sqlite": "intents_intent_words_rows"}.get(connection.vendor, "intents_intent_words"), [])
        == []
    )


def test_state_writes_leave_the_index_alone(api, make_intent):
    intent = make_intent(title="Counting")
    before = index_contents()

    for number in range(3):
        version = fresh(api, intent)["version"]
        api.post(f"/intents/{intent['id']}/state", {"state": {"count": number}}, version=version)
    api.post(f"/intents/{intent['id']}/status", {"status": "active"}, version=version + 1)

    assert index_contents() == before
    assert titles(api, "count") == ["Counting"]


def index_contents():
    """The index as it is stored: SQLite's blocks, PostgreSQL's versions of rows."""
    stored = {
        "sqlite": "SELECT id, block FROM intents_intent_words_data",
        "postgresql": "SELECT ctid::text, id FROM intents_intent_words",
    }
    return fetch_all(stored[connection.vendor], [])


@pytest.mark.parametrize("app", [intent_triggers, question_triggers])
def test_missing_triggers_are_told_and_made_again(db, app):
    assert app.check() == []
    trigger, table = {
        intent_triggers: ("intents_intent_words_insert", "intents_intent"),
        question_triggers: ("governance_arbitration_words_insert", "governance_arbitration"),
    }[app]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger}" + ("" if connection.vendor == "sqlite" else f" ON {table}"))
    assert [error.id for error in app.check()] == [f"{app.__package__}.E002"]

    app.install()

    assert app.check() == []


def test_plan_of_a_search_uses_the_index_without_sorting(db, monkeypatch):
    monkeypatch.setattr("core.db.full_text.COMMON", 0)
    newest = INTENTS.search(Intent.objects.all(), "visa por").order_by("-created_at", "-id")[:101]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # Of an empty table it would be the shortest way.
        assert "intents_intent_words_pkey" in newest.explain()
        return
    plan = newest.explain()
    assert "SCAN intents_intent_words VIRTUAL TABLE INDEX" in plan
    assert "intent_by_age" in plan
    assert "TEMP B-TREE" not in plan
