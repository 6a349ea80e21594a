"""SQL of querysets that is compiled once for each shape (core.db.compiled_queries)."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q
from django.db.models.sql.compiler import SQLCompiler

from core.db.compiled_queries import compile_queryset
from core.ids import new_id
from intents.models import Assignment, Event, Intent, Status

pytestmark = [pytest.mark.django_db, pytest.mark.database("sqlite", "postgresql")]
NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
QUERYSETS = [
    lambda number: Event.objects.all(),
    lambda number: Event.objects.filter(intent_id=new_id(), sequence__gt=number).order_by("sequence")[:101],
    lambda number: Event.objects.filter(intent_id=new_id(), sequence__gt=number).order_by("-sequence")[: 10 + number],
    lambda number: Event.objects.filter(intent=Intent(id=new_id())),
    lambda number: Event.objects.filter(position__isnull=bool(number % 2), trace_id=f"{number}"),
    lambda number: Event.objects.filter(trace_id=f"{number}" if number % 2 else None),
    lambda number: Event.objects.filter(position__lt=10**30 if number % 2 else number),
    lambda number: Event.objects.filter(Q(position=10**30 if number % 2 else number) | Q(sequence=number)),
    lambda number: Event.objects.filter(position=10**30 if number % 2 else number),
    lambda number: Event.objects.filter(sequence=number).order_by("position"),
    lambda number: Event.objects.filter(sequence=number).order_by("position").reverse(),
    lambda number: Event.objects.exclude(Q(sequence__lte=number) | Q(created_at__gte=NOW)),
    lambda number: Event.objects.filter(Q(sequence__lte=number) | Q(created_at__gte=NOW), event_type="a%sb"),
    lambda number: Event.objects.filter(event_type__in=["a", "b"][: number % 2 + 1]),
    lambda number: Event.objects.filter(intent__status=Status.ACTIVE, sequence=number),
    lambda number: Intent.objects.filter(status=Status.ACTIVE, title__icontains=f"{number}"),
    lambda number: Intent.objects.filter(assignments__agent_id="ada").distinct(),
    lambda number: Intent.objects.filter(pk__in=Assignment.objects.filter(role=f"{number}").values("intent_id")),
    lambda number: Intent.objects.only("title").filter(version=number),
    lambda number: Intent.objects.select_for_update().filter(version=number),
    lambda number: Intent.objects.filter(version=number).values_list("pk"),
    lambda number: Intent.objects.none(),
]


def compiled(compile_, queryset):
    try:
        sql, parameters = compile_(queryset)
    except EmptyResultSet:
        return None
    return sql, list(parameters)


@pytest.mark.parametrize("number", range(len(QUERYSETS)))
def test_sql_equals_the_one_that_is_compiled_anew(number):
    for value in (1, 2, 3, 4):
        queryset = QUERYSETS[number](value)
        anew = compiled(lambda each: each.query.get_compiler(connection=connection).as_sql(), queryset)
        assert compiled(lambda each: compile_queryset(each, connection), queryset) == anew


@pytest.mark.fast_paths
def test_shape_is_compiled_once(monkeypatch):
    first, second = (Event.objects.filter(intent_id=new_id(), position__gt=number).order_by("position")[:7] for number in (1, 2))
    sql, _ = compile_queryset(first, connection)
    monkeypatch.setattr(SQLCompiler, "as_sql", None)

    assert compile_queryset(second, connection)[0] == sql
