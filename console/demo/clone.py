"""Clones of example projects, row by row, under new ids and names.

A verb takes some milliseconds, so twenty thousand intents by verbs alone would take an hour on a busy machine. A clone is what
the verbs would have left: its log, replayed, gives its rows (rule E-6); `verify_log` compares them.
"""

import re
from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from core import strict_json
from core.db import sql_rows
from core.ids import new_id
from costs.models import Cost, CostTotal
from intents import positions
from intents.models import Assignment, Edge, Event, Intent, TopicMembership

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTENT_COLUMNS: dict[type[models.Model], str] = {
    Edge: "waiter_id", Assignment: "intent_id", TopicMembership: "intent_id", Event: "intent_id", CostTotal: "intent_id", Cost: "intent_id"
}  # fmt: skip

Values = dict[str, Any]


class Sample:
    """All rows of a project."""

    def __init__(self, root: UUID) -> None:
        ids = [root, *Edge.objects.filter(waiter=root, kind="child").values_list("awaited_id", flat=True)]
        self.intents = _values(Intent, "id", ids)
        self.parts = {model: _values(model, name, ids) for model, name in _INTENT_COLUMNS.items()}
        self.place = str(self.intents[0]["state"]["place"])
        self.newest = max(each["updated_at"] for each in self.intents)


class Batch:
    """Clones that are written together."""

    def __init__(self) -> None:
        self.new: dict[type[models.Model], list[models.Model]] = defaultdict(list)

    def add(self, sample: Sample, place: str) -> None:
        clone = _Clone(sample, place)
        self.new[Intent] += [Intent(**clone.convert(values)) for values in sample.intents]
        for model, found in sample.parts.items():
            self.new[model] += [model(**clone.convert(values)) for values in found]

    @transaction.atomic
    def write(self) -> None:
        sql_rows.create(Intent, self.new.pop(Intent, []))  # An intent stands before what refers to it.
        sql_rows.create(Cost, self.new.pop(Cost, []))
        position = positions.next_position()
        for number, event in enumerate(self.new[Event]):
            event.position = position and position + number  # type: ignore[attr-defined]
        for model, instances in self.new.items():
            sql_rows.insert(
                model, [[getattr(each, field.attname) for field in model._meta.concrete_fields] for each in instances]
            )


class _Clone:
    """The values of a sample in one clone: with new ids, another place, and the present time."""

    def __init__(self, sample: Sample, place: str) -> None:
        self.places = (sample.place, place)
        self.offset: timedelta = timezone.now() - sample.newest
        old = sorted([each["id"] for each in (*sample.intents, *sample.parts[Cost])] + [e["uid"] for e in sample.parts[Event]])
        self.ids = dict(zip(old, sorted(new_id() for _ in old), strict=True))
        self.texts = {str(before): str(after) for before, after in self.ids.items()}

    def convert(self, values: Values) -> Values:
        converted = dict(values)
        for name, value in values.items():
            match value:
                case UUID():
                    converted[name] = self.ids.get(value, value)
                case datetime():
                    converted[name] = value + self.offset
                case str():
                    converted[name] = self._convert_text(value)
                case dict() | list():
                    converted[name] = strict_json.loads(self._convert_text(strict_json.text(value)).encode())
        return converted

    def _convert_text(self, text: str) -> str:
        return _ID.sub(lambda found: self.texts.get(found[0], found[0]), text.replace(*self.places))


def clone_samples(samples: list[Sample], count: int, places: list[str], random: Random) -> int:
    """Write clones of at least `count` intents. Return their number."""
    batch, made = Batch(), 0
    while made < count:
        sample = random.choice(samples)
        batch.add(sample, random.choice(places))
        made += len(sample.intents)
    batch.write()
    return made


def _values(model: type[models.Model], name: str, ids: list[UUID]) -> list[Values]:
    automatic = {field.attname for field in model._meta.concrete_fields if isinstance(field, models.AutoField)}
    found = model._default_manager.filter(**{f"{name}__in": ids}).order_by("pk").values()
    return [{name: value for name, value in each.items() if name not in automatic} for each in found]
