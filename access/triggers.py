"""Database triggers that refuse changes of the audit log. Entries are deleted when they are old (access.audit_log)."""

from typing import Any

from django.core.checks import Error

from core.db.table_guards import TableGuard

TABLE = "access_auditentry"
REFUSAL = "the audit log is append-only"
GUARD = TableGuard(
    TABLE,
    "audit_refuses",
    "the audit log",
    "access.E001",
    sqlite=[
        f"""CREATE TRIGGER IF NOT EXISTS audit_refuses_update BEFORE UPDATE ON {TABLE}
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"""
    ],
    postgresql=[
        f"""CREATE OR REPLACE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$""",
        f"CREATE OR REPLACE TRIGGER audit_refuses_update BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION audit_refuses()",
    ],
)


def install(**_: Any) -> None:
    """Create the trigger. Idempotent."""
    GUARD.install()


def check(**_: Any) -> list[Error]:
    """Check that the trigger exists (`manage.py check --database default`, and the start of the server)."""
    return GUARD.check()
