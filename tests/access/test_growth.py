"""Operations and the worker's tasks read what they are about, however many other rows there are.

SQLite has no statistics of the tables: of two indexes that serve a condition it may take the one that reads more.
"""

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models, transaction

from core.ids import new_id
from intents.models import Event
from jobs.worker import periodic_tasks
from tests.access.operations import Operation, make_world, operations
from tests.conftest import Caller
from tests.exact_openapi import exact_description
from tests.sqlite_steps import STEPS, counted_steps

pytestmark = [pytest.mark.django_db, pytest.mark.database("sqlite"), pytest.mark.full]

FEW, MANY = 120, 600
"""Copies of a world before and between the two measurements. The few fill a page of any list."""

APPS = {"access", "intents", "leasing", "governance", "attachments", "costs", "retries", "portfolios", "subscriptions", "notices"}
ONLY_ONE = {"access.Console", "attachments.Blob", "subscriptions.OutboxCursor", "notices.Channel"}

FOR_THE_FEW = {
    "list_intents?updated_since": "goes through the intents by age",
    "list_events?actor": "goes through 50,000 entries of the log",
    "list_events?agent_id": "goes through 50,000 entries of the log",
    "list_events?portfolio_id": "goes through 50,000 entries of the log",
    "list_events?since": "goes through 50,000 entries of the log",
}
"""What reads more, and what it reads: rare requests, for which no index is written with each row."""

Rows = dict[type[models.Model], list[dict[str, Any]]]


def snapshot() -> Rows:
    tables = [each for each in apps.get_models() if each._meta.app_label in APPS and each._meta.label not in ONLY_ONE]
    return {each: [*each._default_manager.order_by("pk").values()] for each in tables}


def insert_copies(rows: Rows, count: int) -> None:
    """Insert copies of the rows. Each has keys of its own, and refers to the rows of the same copy."""
    position = Event.objects.aggregate(models.Max("position"))["position__max"]
    highest = {model: model._default_manager.aggregate(models.Max("pk"))["pk__max"] or 0 for model in rows}
    new: dict[type[models.Model], list[models.Model]] = {model: [] for model in rows}
    for number in range(count):
        keys: dict[type[models.Model], dict[Any, Any]] = {}
        for model, found in rows.items():
            pk = model._meta.pk
            if isinstance(pk, models.UUIDField):
                keys[model] = {row[pk.attname]: new_id() for row in found}
            elif not pk.is_relation:
                keys[model] = {row[pk.attname]: highest[model] + index for index, row in enumerate(found, start=1)}
                highest[model] += len(found)
        ids = {old: copy for each in keys.values() for old, copy in each.items() if isinstance(old, UUID)}
        for model, found in rows.items():
            for row in found:
                values = {
                    field.attname: copied(field, row[field.attname], keys, ids, number) for field in model._meta.concrete_fields
                }
                if values.get("position") is not None:
                    position += 1
                    values["position"] = position
                new[model].append(model(**values))
    for model, objects in new.items():
        model._default_manager.bulk_create(objects, batch_size=500)


def copied(field: Any, value: Any, keys: dict[Any, dict[Any, Any]], ids: dict[UUID, UUID], number: int) -> Any:
    if value is None:
        return None
    if field.is_relation:
        return keys.get(field.related_model, {}).get(value, value)
    if field.primary_key:
        return keys[field.model][value]
    if isinstance(field, models.UUIDField):
        return ids.get(value, new_id() if field.unique else value)
    if field.name in ("digest", "effect_key"):  # Unique.
        return secrets.token_hex(16)
    if field.model._meta.app_label == "subscriptions" and field.name in ("principal", "subscriber_id"):  # They have limits.
        return f"{value}-{number}"
    return value


def acts(api: Caller) -> Iterator[tuple[str, Callable[[dict[str, str]], Any]]]:
    """Yield each operation, each filter of a list with a value that nothing has, and each task's look for what is due."""
    for name, operation in operations().items():
        yield name, partial(operation.send, api)
        for parameter, value in filters(operation):
            yield f"{name}?{parameter}", partial(read, api, operation, parameter, value)
    for task in periodic_tasks():
        yield task.name, lambda world, task=task: list(task.find(100))


def filters(operation: Operation) -> Iterator[tuple[str, str]]:
    for each in exact_description()["paths"][operation.path][operation.method.lower()].get("parameters", []):
        if operation.method != "GET" or each["in"] != "query" or each["name"] in ("cursor", "limit", "offset", "wait"):
            continue
        schema = each["schema"].get("items", each["schema"])
        schema = schema.get("anyOf", [schema])[0]
        if "$ref" in schema:
            schema = exact_description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        plain = {"integer": str(schema.get("minimum", 0)), "boolean": "true"}.get(schema.get("type"), "nothing")
        known = {"uuid": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "date-time": "2999-01-01T00:00:00Z"}
        yield each["name"], schema["enum"][0] if "enum" in schema else known.get(schema.get("format"), plain)


def read(api: Caller, operation: Operation, parameter: str, value: str, world: dict[str, str]) -> None:
    response = api.get(operation.path.removeprefix("/api/v1").format(**operation.ids(world)), **{parameter: value})
    assert response.status_code == 200, response.content


def measure(api: Caller) -> dict[str, int]:
    """Return the steps of each act, which is then rolled back, at the better of two times: one may read anew what is kept for seconds."""
    world = make_world(api)
    return {name: min(steps(act, world) for _ in range(2)) for name, act in acts(api)}


def steps(act: Callable[[dict[str, str]], Any], world: dict[str, str]) -> int:
    with transaction.atomic():
        with counted_steps() as count:
            act(world)
        transaction.set_rollback(True)
    return count[0]


def test_other_rows_are_not_read(api):
    world = make_world(api)
    api.post(f"/intents/{world['intent_id']}/costs", {"cost_type": "api_call", "amount": 1})
    for operation in operations().values():  # Leaves rows in more states; some of these have ended before their turn.
        operation.send(api, world)
    rows = snapshot()

    insert_copies(rows, FEW)
    before = measure(api)
    insert_copies(rows, MANY)
    after = measure(api)

    grown = {name: (before[name], count) for name, count in after.items() if count > before[name] + MANY / STEPS}
    assert grown.keys() == FOR_THE_FEW.keys(), grown
    assert len(after) > 150


def test_copies_are_as_many_as_they_should_be(api):
    """Without rows, the test above could not fail."""
    make_world(api)
    rows = snapshot()

    insert_copies(rows, 2)

    assert {model: model._default_manager.count() for model in rows} == {model: 3 * len(found) for model, found in rows.items()}
    assert sum(map(bool, rows.values())) > 20
