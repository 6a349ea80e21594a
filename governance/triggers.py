"""Database triggers that make decisions immutable, and those of the search."""

from typing import Any

from django.core.checks import Error

from core.db.table_guards import HINT, TableGuard
from governance.search import QUESTIONS

TABLE = "governance_decision"
REFUSAL = "decisions are never changed or deleted"

GUARD = TableGuard(
    TABLE,
    "decision_refuses",
    "the decisions",
    "governance.E001",
    sqlite=[
        f"""CREATE TRIGGER IF NOT EXISTS decision_refuses_{verb.lower()} BEFORE {verb} ON {TABLE}
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
        for verb in ("UPDATE", "DELETE")
    ],
    postgresql=[
        f"""CREATE OR REPLACE FUNCTION decision_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$""",
        f"""CREATE OR REPLACE TRIGGER decision_refuses_change BEFORE UPDATE OR DELETE ON {TABLE}
            FOR EACH ROW EXECUTE FUNCTION decision_refuses()""",
        f"""CREATE OR REPLACE TRIGGER decision_refuses_truncate BEFORE TRUNCATE ON {TABLE}
            EXECUTE FUNCTION decision_refuses()""",
    ],
)


def install(**_: Any) -> None:
    """Create the triggers. Idempotent."""
    GUARD.install()
    QUESTIONS.install_triggers()


def check(**_: Any) -> list[Error]:
    """Check that the triggers exist (`manage.py check --database default`, and the start of the server)."""
    errors = GUARD.check()
    if not QUESTIONS.has_triggers():
        errors.append(Error("Triggers of the search of questions are missing.", hint=HINT, id="governance.E002"))
    return errors
