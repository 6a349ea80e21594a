"""The database itself refuses to change the log (rule E-1), whatever it is asked with."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from intents import triggers
from intents.models import Event
from intents.positions import assign_positions
from tests.conftest import Caller
from tests.databases import migrated_database
from tests.pytest_plugin import VENDOR
from tests.servers import Server
from tests.system.concurrent_clients import Http
from tests.system.conftest import manage

pytestmark = [pytest.mark.rule("E-1"), pytest.mark.full]


@pytest.fixture
def event(api: Caller) -> Event:
    api.post("/intents", {"title": "Book flights"})
    assign_positions()
    connection.check_constraints()  # PostgreSQL neither truncates nor alters a table on which checks are outstanding.
    return Event.objects.get()


def columns(event: Event) -> dict[str, Any]:
    return {field.attname: getattr(event, field.attname) for field in Event._meta.concrete_fields}


def rewrite(event: Event) -> None:
    event.payload = {"title": "Book hotels"}
    event.save()


ORM: dict[str, Callable[[Event], Any]] = {
    "save": rewrite,
    "update": lambda event: Event.objects.filter(pk=event.pk).update(actor="eve"),
    "update to the same": lambda event: Event.objects.update(actor=event.actor),
    "bulk_update": lambda event: Event.objects.bulk_update([event], ["actor"]),
    "update_or_create": lambda event: Event.objects.update_or_create(uid=event.uid, defaults={"actor": "eve"}),
    "upsert": lambda event: Event.objects.bulk_create(
        [Event(**{**columns(event), "actor": "eve"})], update_conflicts=True, update_fields=["actor"], unique_fields=["row"]
    ),
    "delete": lambda event: event.delete(),
    "delete all": lambda event: Event.objects.all().delete(),
    "raw delete": lambda event: Event.objects.all()._raw_delete("default"),
}

SQL = {
    "update": "UPDATE intents_event SET payload = '{}'",
    "update of the sequence": "UPDATE intents_event SET sequence = sequence + 1",
    "update of the position": "UPDATE intents_event SET position = 99",
    "removal of the position": "UPDATE intents_event SET position = NULL",
    "delete": "DELETE FROM intents_event",
    "on conflict": """INSERT INTO intents_event SELECT * FROM intents_event WHERE true
        ON CONFLICT ("row") DO UPDATE SET actor = 'eve'""",
}
SQL |= {
    "sqlite": {
        "replace": "INSERT OR REPLACE INTO intents_event SELECT * FROM intents_event",
        "replace, in short": "REPLACE INTO intents_event SELECT * FROM intents_event",
        "update or ignore": "UPDATE OR IGNORE intents_event SET actor = 'eve'",
        "update or replace": "UPDATE OR REPLACE intents_event SET sequence = 1",
        "update from": "UPDATE intents_event SET actor = i.title FROM intents_intent AS i WHERE i.id = intent_id",
    },
    "postgresql": {
        "truncate": "TRUNCATE intents_event",
        "truncate of intents": "TRUNCATE intents_intent CASCADE",
        "merge": "MERGE INTO intents_event AS e USING intents_intent AS i ON i.id = e.intent_id WHEN MATCHED THEN DELETE",
        "update in a query": "WITH changed AS (UPDATE intents_event SET actor = 'eve' RETURNING 1) SELECT * FROM changed",
        "delete of only": "DELETE FROM ONLY intents_event",
    },
}[VENDOR]


@pytest.mark.parametrize("attempt", ORM)
def test_no_call_of_the_orm_changes_an_event(event, attempt):
    before = columns(event)

    with pytest.raises(IntegrityError, match=triggers.REFUSAL), transaction.atomic():
        ORM[attempt](event)

    assert columns(Event.objects.get()) == before


@pytest.mark.parametrize("attempt", SQL)
def test_no_statement_changes_an_event(event, attempt):
    with pytest.raises(IntegrityError, match=triggers.REFUSAL), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL[attempt])

    assert columns(Event.objects.get()) == columns(event)


# --- the guard itself ----------------------------------------------------------------------------------------------


DROP = {
    "sqlite": "DROP TRIGGER event_refuses_delete",
    "postgresql": "DROP TRIGGER event_refuses_truncate ON intents_event",
}[VENDOR]


def test_a_missing_guard_is_noticed_and_a_migration_brings_it_back(event):
    with connection.cursor() as cursor:
        cursor.execute(DROP)
    assert [error.id for error in run_checks(databases=["default"])] == ["intents.E001"]

    call_command("migrate", verbosity=0)

    assert run_checks(databases=["default"]) == []


def test_server_without_triggers_is_not_ready_and_restart_restores_them(vendor, tmp_path):
    database_url = migrated_database(vendor, tmp_path)
    drop = f"from django.db import connection; connection.cursor().execute({DROP!r})"
    with Server(database_url) as server, Http(server, may_fail=True) as http:
        assert manage(database_url, "shell", "-c", drop).returncode == 0
        answer = http.health("/readyz")
        assert (answer.status, answer.body["checks"]["log_guard"]) == (503, "missing")

    with Server(database_url) as server, Http(server) as http:
        assert http.health("/readyz").status == 200
