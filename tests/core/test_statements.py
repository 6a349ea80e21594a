"""Statements, which are compiled once, and rows that are locked together (core.db.statements, core.db.sql_rows)."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models.sql.compiler import SQLCompiler

from core.db import database_now, sql_rows
from core.db.statements import Statement
from core.ids import new_id
from intents.models import Intent

pytestmark = [pytest.mark.django_db, pytest.mark.database("sqlite", "postgresql")]


def test_statement_returns_the_objects_of_its_queryset(make_intent):
    before = database_now()
    first, second = (Intent.objects.get(pk=make_intent(title=title, state={"at": 1})["id"]) for title in ("a", "b"))
    since = Statement(lambda given: Intent.objects.filter(created_at__gte=given.since, title="b").order_by("pk"))
    among = Statement(lambda given: Intent.objects.filter(pk__in=[given.one, given.two]).order_by("-pk"))

    (found,) = since.objects(since=before)
    assert {name: getattr(found, name) for name in FIELDS} == {name: getattr(second, name) for name in FIELDS}
    assert since.objects(since=database_now() + timedelta(hours=1)) == []
    assert among.objects(one=first.pk, two=second.pk) == [second, first]
    assert among.objects(one=new_id(), two=first.pk) == [first]


@pytest.mark.fast_paths
def test_statement_is_compiled_once(make_intent, monkeypatch):
    pk = UUID(make_intent()["id"])
    by_id = Statement(lambda given: Intent.objects.filter(pk=given.pk))
    by_id.objects(pk=pk)
    monkeypatch.setattr(SQLCompiler, "as_sql", None)

    assert [each.pk for each in by_id.objects(pk=pk)] == [pk]


def test_rows_are_locked_together_with_the_time(make_intent):
    pks = sorted(UUID(make_intent()["id"]) for _ in range(3))
    with transaction.atomic():
        before = database_now()
        locked = sql_rows.lock_all(Intent, [pks[0], new_id(), pks[2]])
        after = database_now()

    assert [each.pk for each in locked] == [pks[0], pks[2]]
    assert {before <= each.locked_at <= after for each in locked} == {True}
    with transaction.atomic():
        assert sql_rows.lock_all(Intent, []) == []


FIELDS = [field.attname for field in Intent._meta.concrete_fields]
