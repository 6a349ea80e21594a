"""Triggers that refuse changes of tables: missing ones fail the system check, and a migration brings them back."""

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.db import connection

import access.triggers
import governance.triggers
import intents.triggers

pytestmark = pytest.mark.database("sqlite", "postgresql")

GUARDS = [access.triggers.GUARD, governance.triggers.GUARD, intents.triggers.GUARD]


def check_ids():
    return [each.id for each in run_checks(tags=[Tags.database], databases=["default"])]


def triggers_of(guard):
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s AND name LIKE %s"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [guard.table, f"{guard.prefix}%"])
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.table)
def test_missing_trigger_fails_the_system_check_until_the_next_migration(db, guard):
    assert check_ids() == []
    for name in triggers_of(guard):
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {name}{'' if connection.vendor == 'sqlite' else f' ON {guard.table}'}")

        assert check_ids() == [guard.error_id]
        call_command("migrate", verbosity=0)
        assert check_ids() == []


def test_guards_have_triggers(db):
    assert all(triggers_of(guard) for guard in GUARDS)
