"""Database triggers that make decisions immutable, and those of the search (intents.triggers says why they are not in a migration)."""

from typing import Any

from django.core.checks import Error
from django.db import connection

from core import db
from governance.search import QUESTIONS

TABLE = "governance_decision"
REFUSAL = "decisions are never changed or deleted"
HINT = "Run manage.py migrate."

_SQLITE = [
    f"""CREATE TRIGGER IF NOT EXISTS decision_refuses_{verb.lower()} BEFORE {verb} ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
    for verb in ("UPDATE", "DELETE")
]

_POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION decision_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$""",
    f"""CREATE OR REPLACE TRIGGER decision_refuses_change BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION decision_refuses()""",
    f"""CREATE OR REPLACE TRIGGER decision_refuses_truncate BEFORE TRUNCATE ON {TABLE}
        EXECUTE FUNCTION decision_refuses()""",
]

_FOUND = {
    "sqlite": f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{TABLE}'",
    "postgresql": f"""SELECT tgname FROM pg_trigger WHERE tgrelid = '{TABLE}'::regclass
        AND tgname LIKE 'decision_refuses%%' AND tgenabled <> 'D'""",
}
_EXPECTED = 2


def install(**_: Any) -> None:
    """Create the triggers. Idempotent."""
    if TABLE not in connection.introspection.table_names():  # Migrated back to before it.
        return
    with connection.cursor() as cursor:
        for statement in _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL:
            cursor.execute(statement)
    QUESTIONS.install_triggers()


def check(**_: Any) -> list[Error]:
    """Check that the triggers exist (`manage.py check --database default`)."""
    if TABLE not in connection.introspection.table_names():
        return []
    found = len(db.fetch_all(_FOUND[connection.vendor], []))
    errors = []
    if found != _EXPECTED:
        errors.append(Error(f"{found} of {_EXPECTED} triggers guard the decisions.", hint=HINT, id="governance.E001"))
    if not QUESTIONS.has_triggers():
        errors.append(Error("Triggers of the search of questions are missing.", hint=HINT, id="governance.E002"))
    return errors
