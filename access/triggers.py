"""Database triggers that refuse changes of the audit log. Entries are deleted when they are old (access.audit_log)."""

from typing import Any

from django.core.checks import Error
from django.db import connection

from core import db

TABLE = "access_auditentry"
REFUSAL = "the audit log is append-only"
HINT = "Run manage.py migrate."

_SQLITE = [
    f"""CREATE TRIGGER IF NOT EXISTS audit_refuses_update BEFORE UPDATE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
]
_POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$""",
    f"CREATE OR REPLACE TRIGGER audit_refuses_update BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION audit_refuses()",
]
_EXISTS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name = 'audit_refuses_update'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgname = 'audit_refuses_update' AND tgenabled <> 'D'",
}


def install(**_: Any) -> None:
    """Create the trigger. Idempotent."""
    if TABLE not in connection.introspection.table_names():  # Migrated back to before it.
        return
    with connection.cursor() as cursor:
        for statement in _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL:
            cursor.execute(statement)


def check(**_: Any) -> list[Error]:
    """Check that the trigger exists (`manage.py check --database default`, and the start of the server)."""
    if TABLE not in connection.introspection.table_names() or db.fetch_all(_EXISTS[connection.vendor], []):
        return []
    return [Error("No trigger guards the audit log.", hint=HINT, id="access.E001")]
