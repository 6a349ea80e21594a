"""Data migrations, run on a database of the version before them."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import processes
from tests.databases import fresh_database
from tests.system.conftest import environment

pytestmark = pytest.mark.full


AT = "2026-01-01 00:00:00"


class Old:
    """A SQLite database at an earlier migration, filled by SQL."""

    def __init__(self, folder: Path) -> None:
        self.url = fresh_database("sqlite", folder)

    def migrate(self, *target: str) -> None:
        done = processes.run("manage", ["migrate", "--verbosity", "0", *target], environment(self.url))
        assert done.returncode == 0, done.stderr

    def run(self, sql: str, *values: Any) -> list[Any]:
        with sqlite3.connect(self.url.removeprefix("sqlite:///")) as connection:
            return connection.execute(sql, values).fetchall()

    def insert(self, table: str, **values: Any) -> None:
        self.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", *values.values())

    def event(self, sequence: int, event_type: str, payload: str = "{}", **more: Any) -> None:
        values = {"uid": uuid4().hex, "sequence": sequence, "position": sequence, "actor": "ada", "created_at": AT, **more}
        self.insert("intents_event", event_type=event_type, payload=payload, **values)

    def intent(self, **more: Any) -> str:
        pk = uuid4().hex
        self.insert(
            "intents_intent", id=pk, title="Old", status="draft", state="{}", constraints="{}", version=1, depends_on="[]",
            agents="[]", created_by="ada", created_at=AT, updated_at=AT, last_sequence=3, last_fencing_token=0, active_leases=0,
            **more,
        )  # fmt: skip
        return pk


@pytest.fixture
def old(tmp_path: Path) -> Callable[..., Old]:
    def make(*targets: tuple[str, str]) -> Old:
        database = Old(tmp_path)
        for target in targets:
            database.migrate(*target)
        return database

    return make


def test_an_intent_that_was_blocked_by_hand_is_on_hold(old: Callable[..., Old]) -> None:
    database = old(("intents", "0003"))
    by_hand, by_dependency, by_question, moved = (database.intent() for _ in range(4))
    database.run("UPDATE intents_intent SET status = 'blocked' WHERE id <> ?", moved)
    for number, (intent, to, reason) in enumerate(
        [
            (by_hand, "active", "go"),
            (by_hand, "blocked", "wait"),
            (by_dependency, "blocked", "dependency_added"),
            (by_question, "blocked", "arbitration_requested"),
            (moved, "blocked", "wait"),
            (moved, "draft", "go"),
        ],
        start=1,
    ):
        told = f'{{"from": "draft", "to": "{to}", "version": 2, "reason": "{reason}"}}'
        at = f"2026-01-02 00:00:0{number}"
        database.event(number, "status_changed", told, intent_id=intent, created_at=at)

    database.migrate()

    found = dict(database.run("SELECT id, on_hold FROM intents_intent"))
    assert found == {by_hand: 1, by_dependency: 0, by_question: 0, moved: 0}
    latest = dict(database.run("SELECT id, last_event_at FROM intents_intent"))
    assert (latest[by_hand], latest[moved]) == ("2026-01-02 00:00:02", "2026-01-02 00:00:06")


def test_leases_know_the_first_level_of_their_scope(old: Callable[..., Old]) -> None:
    database = old(("leasing", "0001"))
    intent = database.intent()
    for token, scope in enumerate(["content", "content.draft.title", "a b"], start=1):
        database.insert(
            "leasing_lease", id=uuid4().hex, intent_id=intent, agent_id="ada", scope=scope, status="active", fencing_token=token,
            acquired_at=AT, expires_at="2026-01-01 01:00:00",
        )  # fmt: skip

    database.migrate()

    assert database.run("SELECT first_level FROM leasing_lease ORDER BY fencing_token") == [("content",), ("content",), ("a b",)]


def test_principals_come_from_the_log(old: Callable[..., Old]) -> None:
    database = old(("portfolios", "0001"), ("governance", "0001"), ("leasing", "0001"), ("access", "0002"))
    intent, key, unlogged = database.intent(), uuid4(), uuid4()
    lease, arbitration, portfolio = uuid4(), uuid4(), uuid4()
    for pk, token in ((lease, 1), (unlogged, 2)):
        database.insert(
            "leasing_lease", id=pk.hex, intent_id=intent, agent_id="ada", scope=f"s{token}", status="released", fencing_token=token,
            acquired_at=AT, expires_at="2026-01-01 01:00:00",
        )  # fmt: skip
    database.insert(
        "governance_arbitration", id=arbitration.hex, intent_id=intent, requester_id="ada", reason="?", context="{}", options="[]",
        blocking=False, sequence=2, status="pending", created_at=AT,
    )  # fmt: skip
    database.insert(
        "access_apikey", id=key.hex, name="k", role="operator", prefix="p", digest="d", created_by="x", created_at=AT,
    )  # fmt: skip
    database.insert(
        "portfolios_portfolio", id=portfolio.hex, name="P", status="active", governance_policy="{}", metadata="{}",
        created_by="ada", created_at=AT, updated_at=AT,
    )  # fmt: skip
    database.insert(
        "portfolios_member", portfolio_id=portfolio.hex, intent_id=intent, role="member", priority=0, added_by="ada", added_at=AT
    )
    told = {"intent_id": intent, "key_id": key.hex}
    database.event(1, "lease_acquired", f'{{"lease_id": "{lease}"}}', **told)
    database.event(2, "arbitration_requested", f'{{"arbitration_id": "{arbitration}"}}', **told)
    database.event(3, "added_to_portfolio", portfolio_id=portfolio.hex, **told)

    database.migrate()

    assert database.run("SELECT principal FROM leasing_lease ORDER BY fencing_token") == [(f"key:{key}",), ("ada",)]
    assert database.run("SELECT principal FROM governance_arbitration") == [(f"key:{key}",)]
    assert database.run("SELECT principal, by_role FROM portfolios_member") == [(f"key:{key}", "operator")]


def test_portfolios_and_limits_belong_to_who_made_them(old: Callable[..., Old]) -> None:
    database = old(("portfolios", "0003"), ("costs", "0001"), ("access", "0002"))
    intent, other, key, raising, portfolio, unlogged = database.intent(), database.intent(), uuid4(), uuid4(), uuid4(), uuid4()
    for pk in (portfolio, unlogged):
        database.insert(
            "portfolios_portfolio", id=pk.hex, name="P", status="active", governance_policy="{}", metadata="{}", created_by="ada",
            created_at=AT, updated_at=AT,
        )  # fmt: skip
    now = '{"max_cost": 9, "budget": {"max_total_cents": 5, "alert_threshold_percent": 50}}'
    database.run("UPDATE intents_intent SET constraints = ? WHERE id = ?", now, intent)
    database.run("UPDATE intents_intent SET constraints = ? WHERE id = ?", '{"max_cost": "9"}', other)
    database.event(1, "portfolio_created", portfolio_id=portfolio.hex, key_id=key.hex)
    of = {"intent_id": intent}
    database.event(2, "intent_created", '{"constraints": {"max_cost": 5}}', **of, key_id=key.hex)
    database.event(3, "intent_updated", '{"changes": {"title": "x"}}', **of, key_id=raising.hex)
    database.event(4, "intent_updated", '{"changes": {"constraints": {"max_cost": 10}}}', **of, key_id=raising.hex)
    database.event(5, "intent_updated", f'{{"changes": {{"constraints": {now}}}}}', **of)

    database.migrate()

    found = dict(database.run("SELECT id, principal FROM portfolios_portfolio"))
    assert found == {portfolio.hex: f"key:{key}", unlogged.hex: "ada"}
    assert database.run("SELECT DISTINCT version FROM portfolios_portfolio") == [(1,)]
    setters = database.run("SELECT intent_id, limit_kind, principal FROM costs_limitsetter ORDER BY limit_kind")
    assert setters == [
        (intent, "alert_threshold_percent", f"key:{key}"),
        (intent, "max_cost", f"key:{raising}"),
        (intent, "max_total_cents", "ada"),
    ]


def test_search_finds_intents_and_questions_from_before_it(old: Callable[..., Old]) -> None:
    database = old(("intents", "0008"), ("governance", "0009"))
    intent = database.intent(last_event_at=AT, on_hold=0)

    database.migrate()

    found = "SELECT id FROM intents_intent_words_rows WHERE row IN (SELECT rowid FROM intents_intent_words('old'))"
    assert database.run(found) == [(intent,)]
    database.migrate("governance", "0009")
    database.migrate("intents", "0008")
    assert database.run("SELECT name FROM sqlite_master WHERE name LIKE '%_words%'") == []
