"""The functions of `core.db.sql_rows` by the ORM, for servers with OPENINTENT_FAST_PATHS=0."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from orjson import Fragment

from core.db import clock_and_epoch
from core.db.fields import JSONTextField
from core.db.rows import LOCKED_AT_ONCE, Row, first_within, reference, row_type

__all__: list[str] = [
    "create",
    "exists",
    "fetch",
    "fetch_ids_within",
    "fetch_within",
    "get",
    "insert",
    "lock",
    "lock_all",
    "lock_with",
    "update",
]

M = TypeVar("M", bound=models.Model)
P = TypeVar("P", bound=models.Model)


def fetch(queryset: models.QuerySet[Any], *names: str, longest: int | None = None, is_large: bool = False) -> list[Row]:
    model: Any = queryset.model
    fields = [model._meta.get_field(name) for name in names] or model._meta.concrete_fields
    json = [each.attname for each in fields if isinstance(each, JSONTextField)]
    # As a JSON value, numbers would lose digits.
    texts = {f"text_of_{name}": models.ExpressionWrapper(models.F(name), output_field=models.TextField()) for name in json}
    columns = [f"text_of_{each.attname}" if each.attname in json else each.attname for each in fields]
    make = row_type(model, names)._make
    rows = [make(values) for values in queryset.annotate(**texts).values_list(*columns)]
    if longest is None:
        return rows
    return [row._replace(**{name: None for name in json if len(getattr(row, name)) > longest}) for row in rows]


def fetch_within(queryset: models.QuerySet[Any], size: int) -> tuple[list[Row], int, bool]:
    rows = fetch(queryset)
    kept, used = first_within([_text_bytes(queryset.model, row) for row in rows], size)
    return rows[:kept], used, kept < len(rows)


def fetch_ids_within(model: type[models.Model], ids: Sequence[Any], size: int) -> tuple[dict[Any, Row], int]:
    rows = {row[0]: row for row in fetch(model._default_manager.filter(pk__in=set(ids)))}
    taken, _ = first_within([_text_bytes(model, rows[pk]) for pk in ids], size)
    return {pk: rows[pk] for pk in islice(ids, taken)}, taken


def get(model: type[models.Model], pk: UUID) -> Row | None:
    found = fetch(model._default_manager.filter(pk=pk))
    return found[0] if found else None


def exists(model: type[models.Model], pk: UUID) -> bool:
    return model._default_manager.filter(pk=pk).exists()


def lock(model: type[M], pk: UUID) -> M | None:
    found = lock_all(model, [pk])
    return found[0] if found else None


def lock_with(model: type[M], pk: UUID, part: type[P], part_pk: UUID) -> tuple[M, P | None] | None:
    found = lock(model, pk)
    if found is None:
        return None
    return found, part._default_manager.filter(pk=part_pk, **{reference(part, model).attname: pk}).first()


def lock_all(model: type[M], pks: Sequence[UUID]) -> list[M]:
    found: list[Any] = []
    for start in range(0, len(pks), LOCKED_AT_ONCE):
        part = pks[start : start + LOCKED_AT_ONCE]
        found += model._default_manager.filter(pk__in=part).order_by("pk").select_for_update()
    locked_at, epoch = clock_and_epoch() if found else (None, None)
    for instance in found:
        instance.locked_at, instance.epoch = locked_at, epoch
    return found


def update(instance: models.Model, names: tuple[str, ...]) -> None:
    instance.save(update_fields=names)


def create(model: type[models.Model], instances: Sequence[models.Model]) -> None:
    model._default_manager.bulk_create(instances)


def insert(model: type[models.Model], new: Sequence[Row]) -> None:
    fields: Any = model._meta.concrete_fields
    instances = []
    for row in new:
        values = {each.attname: value for each, value in zip(fields, row, strict=True)}
        for each in fields:
            if isinstance(each, JSONTextField) and isinstance(values[each.attname], str):
                values[each.attname] = Fragment(values[each.attname])
        instances.append(model(**values))
    model._default_manager.bulk_create(instances)


def _text_bytes(model: type[models.Model], row: Row) -> int:
    fields: Any = model._meta.concrete_fields
    return sum(
        len(value.encode()) for field, value in zip(fields, row, strict=True) if value and isinstance(field, models.TextField)
    )
