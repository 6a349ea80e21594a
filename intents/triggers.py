"""Database triggers that make the event log append-only (rule E-1), and those of the search.

SQLite drops triggers when a migration rebuilds a table, so they are created after every migration, not in one.
"""

from typing import Any

from django.core.checks import Error
from django.db import connection

from core import db
from intents.search import INTENTS

REFUSAL = "the event log is append-only"
HINT = "Run manage.py migrate."

_SQLITE = [
    *(
        f"""CREATE TRIGGER IF NOT EXISTS event_refuses_{verb.lower()} BEFORE {verb} ON intents_event
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
        for verb in ("UPDATE", "DELETE")
    )
]

_POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION event_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE filled intents_event;
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                filled := OLD;
                filled.position := NEW.position;
                IF OLD.position IS NULL AND NEW.position IS NOT NULL AND filled IS NOT DISTINCT FROM NEW THEN
                    RETURN NEW;  -- The sequencer gives a position, once.
                END IF;
            END IF;
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
        END $$""",
    "CREATE OR REPLACE TRIGGER event_refuses_update BEFORE UPDATE ON intents_event FOR EACH ROW EXECUTE FUNCTION event_refuses()",
    "CREATE OR REPLACE TRIGGER event_refuses_delete BEFORE DELETE ON intents_event FOR EACH ROW EXECUTE FUNCTION event_refuses()",
    "CREATE OR REPLACE TRIGGER event_refuses_truncate BEFORE TRUNCATE ON intents_event EXECUTE FUNCTION event_refuses()",
]

_EXPECTED = {
    "sqlite": ("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'intents_event'", 2),
    "postgresql": (
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'intents_event'::regclass AND tgname LIKE 'event_refuses%%' AND tgenabled <> 'D'",
        3,
    ),
}


def install(**_: Any) -> None:
    """Create the triggers. Idempotent."""
    with connection.cursor() as cursor:
        for statement in _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL:
            cursor.execute(statement)
    INTENTS.install_triggers()


def check(**_: Any) -> list[Error]:
    """Check that the triggers exist (`manage.py check --database default`, and the start of the server)."""
    if "intents_event" not in connection.introspection.table_names():
        return []
    query, expected = _EXPECTED[connection.vendor]
    found = len(db.fetch_all(query, []))
    errors = []
    if found != expected:
        errors.append(Error(f"{found} of {expected} triggers guard the event log.", hint=HINT, id="intents.E001"))
    if not INTENTS.has_triggers():
        errors.append(Error("Triggers of the search of intents are missing.", hint=HINT, id="intents.E002"))
    return errors
