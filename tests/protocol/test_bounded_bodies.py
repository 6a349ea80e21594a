"""Bounds of bodies: lists, JSON fields, unknown fields and errors (protocol §1 "Bounded work")."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import yaml
from rest_framework import serializers

from core import strict_json
from core.api.fields import MAX_ENTRIES, AnyJSONField, JSONObjectField, StrictListField
from core.api.serializers import StrictSerializer
from core.errors import TooLarge
from intents.models import Event, Intent
from portfolios.serializers import GovernancePolicy
from tests.processes import ROOT

MAX_ERRORS, MAX_UNKNOWN = 50, 20
MiB = 2**20


def bodies(kind: type[StrictSerializer] = StrictSerializer) -> Iterator[type[StrictSerializer]]:
    for each in kind.__subclasses__():
        yield each
        yield from bodies(each)


def fields_below(field: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The fields of a body, those of nested bodies and of the entries of lists among them."""
    below = field.fields if isinstance(field, serializers.Serializer) else {"[]": field.child} if hasattr(field, "child") else {}
    for name, each in below.items():
        yield f"{path}.{name}", each
        yield from fields_below(each, f"{path}.{name}")


ALL = [
    (path, field)
    for body in {*bodies()}
    if body.__module__[:6] != "tests."
    for path, field in fields_below(body(), body.__name__)
]
LISTS = {path: field for path, field in ALL if isinstance(field, serializers.ListField)}
JSON = {path: field for path, field in ALL if isinstance(field, (AnyJSONField, JSONObjectField, GovernancePolicy))}


@pytest.mark.case("security H6")
@pytest.mark.parametrize("path", sorted(LISTS))
def test_too_long_list_is_refused_before_its_entries_are_read(path, monkeypatch):
    field = LISTS[path]
    assert isinstance(field, StrictListField)
    read: list[Any] = []
    monkeypatch.setattr(field.child, "run_validation", lambda *entry: read.append(entry))

    with pytest.raises(serializers.ValidationError) as refused:
        field.run_validation([1] * ((field.max_length or 0) + 1))

    assert 0 < (field.max_length or 0) <= MAX_ENTRIES
    assert refused.value.get_codes() == ["max_length"]
    assert read == []


@pytest.mark.case("security H6")
@pytest.mark.parametrize("path", sorted(LISTS))
def test_list_of_wrong_entries_is_read_up_to_fifty_of_them(path, monkeypatch):
    field = LISTS[path]
    read: list[Any] = []
    run_validation = field.child.run_validation

    def count(*entry: Any) -> Any:
        read.append(entry)
        return run_validation(*entry)

    monkeypatch.setattr(field.child, "run_validation", count)

    with pytest.raises(serializers.ValidationError):
        field.run_validation([[]] * field.max_length)

    assert len(read) == min(MAX_ERRORS, field.max_length)


def test_lists_of_bodies_say_their_limit_in_the_description():
    described = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    sent = [
        body["schema"]["$ref"].rpartition("/")[2]
        for path in described["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
        for kind, body in operation.get("requestBody", {}).get("content", {}).items()
        if "$ref" in body["schema"]
    ]
    schemas = described["components"]["schemas"]

    def unlimited(schema: Any, path: str) -> list[str]:
        if isinstance(schema, list):
            return [found for each in schema for found in unlimited(each, path)]
        if not isinstance(schema, dict):
            return []
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return unlimited(schemas[name], f"{path}>{name}")
        here = [path] if schema.get("type") == "array" and "maxItems" not in schema else []
        return here + [found for key, each in schema.items() if key != "examples" for found in unlimited(each, f"{path}.{key}")]

    assert len(sent) > 20
    assert [found for name in sent for found in unlimited(schemas[name], name)] == []


@pytest.mark.case("security M5")
@pytest.mark.parametrize("path", sorted(JSON))
def test_json_field_of_more_than_its_limit_is_too_large(path, settings):
    field = JSON[path]

    with pytest.raises(TooLarge) as refused:
        field.run_validation({"text": "a" * MiB})

    assert refused.value.body()["limit"] == settings.MAX_STATE == MiB


@pytest.fixture
def places(api, make_intent):
    """Every JSON field that the API takes: where it is sent, and the body with a value in it."""
    intent, portfolio = make_intent()["id"], api.post("/portfolios", {"name": "All"}).json()["id"]
    there = f"/intents/{intent}"
    big = {"text": "a" * MiB}
    say = {"event_type": "comment", "payload": big}
    patch = [{"op": "set", "path": f"k{number}", "value": "a" * (MiB // 8)} for number in range(9)]
    reference = {"filename": "a", "storage_url": "https://example.com/a", "size": 1}
    cost = {"cost_type": "llm", "amount": 1, "unit": "USD"}
    return [
        ("POST", "/intents", {"title": "t", "state": big}),
        ("POST", "/intents", {"title": "t", "initial_state": big}),
        ("POST", "/intents", {"title": "t", "constraints": big}),
        ("POST", "/intents", {"title": "t", "constraints": [big]}),
        ("POST", f"{there}/children", {"title": "t", "state": big}),
        ("POST", f"{there}/children", {"title": "t", "constraints": big}),
        ("PATCH", there, {"constraints": big}),
        ("POST", f"{there}/state", {"state": big}),
        ("POST", f"{there}/state", {"patches": [{"op": "set", "path": "k", "value": "a" * MiB}]}),
        ("POST", f"{there}/state", {"patches": patch}),
        ("POST", f"{there}/state", {"patches": [*patch, *({"op": "remove", "path": f"k{number}"} for number in range(9))]}),
        ("POST", f"{there}/events", say),
        ("POST", f"{there}/events/batch", {"events": [{"event_type": "comment"}, say]}),
        ("POST", f"{there}/arbitrate", {"reason": "r", "context": big}),
        ("POST", "/delegations", {"delegate": "d", "constraints": big}),
        ("POST", f"{there}/attachments", {"filename": "a", "content_base64": "", "metadata": big}),
        ("POST", f"{there}/attachments", {**reference, "metadata": big}),
        ("POST", f"{there}/costs", {**cost, "metadata": big}),
        ("POST", f"{there}/failures", {"error_type": "timeout", "metadata": big}),
        ("POST", "/portfolios", {"name": "n", "metadata": big}),
        ("POST", "/portfolios", {"name": "n", "governance_policy": big}),
        ("POST", "/portfolios", {"name": "n", "governance_policy": {"shared_constraints": big}}),
        ("PATCH", f"/portfolios/{portfolio}", {"metadata": big}),
        ("PATCH", f"/portfolios/{portfolio}", {"governance_policy": big}),
    ]


@pytest.mark.case("security M5")
def test_large_json_is_refused_wherever_it_is_sent_and_nothing_is_written(api, places, settings):
    before = Event.objects.count(), Intent.objects.count()

    for method, path, body in places:
        response = api.send(method, path, body, version=1)

        assert (path, response.status_code, response.json()["code"]) == (path, 413, "too_large")
        assert response.json()["limit"] in (settings.MAX_STATE, settings.MAX_EVENT_PAYLOAD)
        assert len(response.content) < 1_000
    assert (Event.objects.count(), Intent.objects.count()) == before


@pytest.mark.case("security H6")
@pytest.mark.parametrize(
    "body",
    [
        {"title": "t", "depends_on": [1] * 400_000},
        {"title": "t", "assign": [1] * 400_000},
        {"title": "t", "depends_on": [1] * 1_000},
        {"title": "t", **{f"field{number}": 1 for number in range(200_000)}},
        {"title": "t", "initial_state": {}, **{f"field{number}": 1 for number in range(200_000)}},
        {"title": "t", **{f"{number}{'x' * 100_000}": 1 for number in range(30)}},
        {"title": "x" * 9 * MiB},
        {"title": [["x"] * 100_000] * 4},
        {"title": "t", "constraints": [1] * 400_000},
    ],
    ids=lambda body: "+".join([*body][:2]),
)
def test_refusal_of_a_large_body_is_short(api, body):
    response = api.post("/intents", body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert len(response.json()["errors"]) <= MAX_ERRORS
    assert sum(error["code"] == "unknown_field" for error in response.json()["errors"]) <= MAX_UNKNOWN + 1
    assert len(response.content) < 30_000
    assert Intent.objects.count() == 0


def test_refusal_says_how_many_errors_it_does_not_name(api):
    body = {"title": "t", **{f"field{number}": 1 for number in range(500)}}
    of_fields = api.post("/intents", body).json()
    [last] = [error for error in of_fields["errors"] if not error["field"]]

    assert last["message"] == "has 480 more unknown fields"
    events = [{"event_type": "comment", "payload": 1, "more": 2}] * 100
    of_entries = api.post(f"/intents/{api.post('/intents', {'title': 't'}).json()['id']}/events/batch", {"events": events}).json()
    assert len(of_entries["errors"]) == MAX_ERRORS
    assert of_entries["detail"].endswith("(and 99 more, of which 49 are named)")


def test_unknown_parameters_are_named_up_to_twenty(api):
    response = api.get("/intents?" + "&".join(f"{'p' * 300}{number}=1" for number in range(100)))

    assert response.status_code == 400
    assert len(response.json()["errors"]) == MAX_UNKNOWN + 1
    assert "80 more parameters are unknown" in response.json()["errors"][-1]["message"]
    assert len(response.content) < 30_000


@pytest.mark.parametrize("query", ["status=" + "draft," * 4_000 + "draft", "status=" + "x," * 4_000 + "x"])
def test_filter_takes_a_hundred_words_at_most(api, query):
    response = api.get(f"/intents?{query}")

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "status")
    assert "has more than 100 entries" in response.json()["detail"]
    assert api.get("/intents?status=" + "draft," * 99 + "draft").status_code == 200


# --- JSON itself -----------------------------------------------------------------------------------------------------

MANY = 10 * MiB


@pytest.mark.case("security H6")
@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"[]," * (MANY // 3) + b"1]",
        b"[" + b"1," * (MANY // 2) + b"1]",
        b"[" + b'"a",' * (MANY // 4) + b"1]",
        b"[" + b'"\\\\",' * (MANY // 6) + b"1]",
        b"[" + b'"\\"",' * (MANY // 6) + b"1]",
        b"[" + b'{"a":1},' * (MANY // 8) + b"1]",
        b'{"a":' + b"[{}," * (MANY // 4) + b"1]}",
        b"{" + b",".join(b'"%d":1' % number for number in range(500_000)) + b"}",
    ],
    ids=["lists", "integers", "strings", "backslashes", "quotes", "objects", "unclosed", "members"],
)
def test_json_of_too_many_values_is_not_parsed(raw, monkeypatch):
    monkeypatch.setattr(strict_json.orjson, "loads", None)

    with pytest.raises(strict_json.StrictJSONError) as refused:
        strict_json.loads(raw)

    assert refused.value.code == "too_many_values"


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"1," * (2**19 - 2) + b"1]",
        b'["' + b",[{" * (MANY // 3) + b'"]',
        b'["' + b',\\"[{' * (MANY // 5) + b'"]',
        b'["' + b"\\\\" * (MANY // 2) + b'",1]',
    ],
    ids=["as many as there may be", "commas in a text", "quotes in a text", "backslashes in a text"],
)
def test_as_many_values_as_a_large_state_has_are_parsed(raw):
    assert strict_json.loads(raw) == orjson.loads(raw)


@pytest.mark.parametrize("number", ["9007199254740992", "-9007199254740992", "12345678901234567890", "1" * 400_000])
@pytest.mark.parametrize("text", ["[%s]", '{"a": %s}', "[1,%s ,2]", '["a",%s]', "%s", '["\\"",%s,"\\""]', '["%s",%s]'])
def test_large_integer_is_found_wherever_it_stands(number, text):
    with pytest.raises(strict_json.StrictJSONError) as refused:
        strict_json.loads(text.replace("%s", number).encode())

    assert refused.value.code in ("unsafe_integer", "not_json")


@pytest.mark.parametrize(
    "text",
    [
        "[9007199254740991, -9007199254740991]",
        "[12345678901234567890.0, 1.12345678901234567890, 1e-00000000000000000001, 12345678901234567890e1]",
        '["12345678901234567890", "\\"12345678901234567890", "a, 12345678901234567890 ]"]',
        '{"12345678901234567890": 1}',
    ],
)
def test_digits_that_are_no_large_integer_pass(text):
    assert strict_json.loads(text.encode()) == orjson.loads(text)
