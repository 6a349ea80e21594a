"""Response serializers: what documents a response renders it, from objects and from rows of either database."""

from collections import namedtuple
from datetime import UTC, datetime
from uuid import UUID

import pytest
from rest_framework import serializers

from core import strict_json
from core.api.representation import ResponseSerializer

ID = UUID("0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21")
Row = namedtuple("Row", "uid title is_open state made_at parts")
AT = datetime(2027, 1, 15, 9, 30, tzinfo=UTC)


class PartOut(ResponseSerializer):
    name = serializers.CharField(source="title")


class ThingOut(ResponseSerializer):
    id = serializers.UUIDField(source="uid")
    title = serializers.CharField()
    is_open = serializers.BooleanField()
    state = serializers.DictField()
    made_at = serializers.DateTimeField()
    parts = PartOut(many=True)
    shout = serializers.SerializerMethodField()
    seen = serializers.BooleanField(required=False)

    def get_shout(self, thing: Row) -> str:
        return thing.title.upper() + self.context.get("mark", "")


PART = Row(ID, "wheel", True, {}, AT, [])
WANTED = {
    "id": str(ID),
    "title": "cart",
    "is_open": True,
    "state": {"a": 1},
    "made_at": "2027-01-15T09:30:00.000000Z",
    "parts": [{"name": "wheel"}],
    "shout": "CART",
}


@pytest.mark.parametrize(
    "row",
    [
        Row(ID, "cart", True, {"a": 1}, AT, [PART]),
        Row(ID.hex, "cart", 1, '{"a":1}', "2027-01-15 09:30:00", '[{"name":"wheel"}]'),
    ],
    ids=["values of Python and PostgreSQL", "values of SQLite"],
)
def test_rows_of_both_databases_are_rendered_alike(row):
    assert strict_json.loads(strict_json.dumps(ThingOut.render(row))) == WANTED


def test_drf_renders_by_the_same_function():
    cart = Row(ID, "cart", True, {"a": 1}, AT, [PART])

    assert ThingOut(cart).data == WANTED
    assert ThingOut([cart], many=True, context={"mark": "!"}).data == [{**WANTED, "shout": "CART!"}]


def test_serializers_own_representation_takes_effect():
    class Loud(PartOut):
        def to_representation(self, instance):
            return {"name": super().to_representation(instance)["name"].upper()}

    assert Loud.render(PART) == {"name": "WHEEL"}
