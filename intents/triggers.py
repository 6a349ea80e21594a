"""Database triggers that make the event log append-only (rule E-1), and those of the search."""

from typing import Any

from django.core.checks import Error

from core.db.table_guards import HINT, TableGuard
from intents.search import INTENTS

TABLE = "intents_event"
REFUSAL = "the event log is append-only"

GUARD = TableGuard(
    TABLE,
    "event_refuses",
    "the event log",
    "intents.E001",
    sqlite=[
        f"""CREATE TRIGGER IF NOT EXISTS event_refuses_{verb.lower()} BEFORE {verb} ON {TABLE}
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
        for verb in ("UPDATE", "DELETE")
    ],
    postgresql=[
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
    ],
)


def install(**_: Any) -> None:
    """Create the triggers. Idempotent."""
    GUARD.install()
    INTENTS.install_triggers()


def check(**_: Any) -> list[Error]:
    """Check that the triggers exist (`manage.py check --database default`, and the start of the server)."""
    errors = GUARD.check()
    if not INTENTS.has_triggers():
        errors.append(Error("Triggers of the search of intents are missing.", hint=HINT, id="intents.E002"))
    return errors
