"""Typed answers: which schemas a question may have, and which answers are valid (rule H-1)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from governance.answer_schemas import MAX_FIELDS, answer_problems, schema_problems

pytestmark = pytest.mark.rule("H-1")


def schema(**properties):
    return {"type": "object", "properties": properties}


def paths(problems):
    return {path for path, _, _ in problems}


FIELDS = {
    "name": {"type": "string", "title": "Your name", "description": "As on the invoice", "minLength": 2, "maxLength": 40},
    "email": {"type": "string", "format": "email"},
    "site": {"type": "string", "format": "uri"},
    "day": {"type": "string", "format": "date"},
    "at": {"type": "string", "format": "date-time"},
    "size": {"type": "string", "enum": ["s", "m"], "enumNames": ["Small", "Medium"], "default": "m"},
    "amount": {"type": "number", "minimum": 0, "maximum": 99.5},
    "copies": {"type": "integer", "minimum": 1, "default": 1},
    "urgent": {"type": "boolean", "default": False},
}
ANSWER = {
    "name": "Ada",
    "email": "ada@example.com",
    "site": "https://example.com/a?b=c",
    "day": "2027-02-28",
    "at": "2027-02-28T12:30:00+01:00",
    "size": "s",
    "amount": 12.5,
    "copies": 3.0,
    "urgent": True,
}


def test_schema_of_every_kind_of_field_is_valid():
    assert not [*schema_problems({**schema(**FIELDS), "title": "Order", "required": ["name"], "additionalProperties": False})]
    assert not [*answer_problems(schema(**FIELDS), ANSWER)]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"type": "array", "items": {}}, "type"),
        ({"type": "object"}, "properties"),
        (schema(), "properties"),
        (schema(**{f"f{n}": {"type": "string"} for n in range(MAX_FIELDS + 1)}), "properties"),
        ({**schema(a={"type": "string"}), "required": ["b"]}, "required"),
        ({**schema(a={"type": "string"}), "required": ["a", "a"]}, "required"),
        ({**schema(a={"type": "string"}), "required": "a"}, "required"),
        ({**schema(a={"type": "string"}), "additionalProperties": True}, "additionalProperties"),
        ({**schema(a={"type": "string"}), "$defs": {"x": {}}}, "$defs"),
        ({**schema(a={"type": "string"}), "title": 5}, "title"),
        (schema(a="string"), "properties.a"),
        (schema(a={"type": "object", "properties": {}}), "properties.a"),
        (schema(a={"type": "array", "items": {"type": "string"}}), "properties.a"),
        (schema(a={"type": ["string", "null"]}), "properties.a"),
        (schema(a={"$ref": "#"}), "properties.a"),
        (schema(a={"type": "string", "pattern": "(a+)+$"}), "properties.a.pattern"),
        (schema(a={"type": "string", "format": "regex"}), "properties.a.format"),
        (schema(a={"type": "string", "format": ["email"]}), "properties.a.format"),
        (schema(a={"type": "string", "minLength": 5, "maxLength": 4}), "properties.a.minLength"),
        (schema(a={"type": "string", "minLength": -1}), "properties.a.minLength"),
        (schema(a={"type": "string", "maxLength": 1.5}), "properties.a.minLength"),
        (schema(a={"type": "string", "maxLength": True}), "properties.a.minLength"),
        (schema(a={"type": "integer", "minimum": 2**53}), "properties.a.minimum"),
        (schema(a={"type": "integer", "minimum": "1"}), "properties.a.minimum"),
        (schema(a={"type": "number", "minimum": 2, "maximum": 1}), "properties.a.minimum"),
        (schema(a={"type": "boolean", "enum": [True]}), "properties.a.enum"),
        (schema(a={"type": "string", "enum": []}), "properties.a.enum"),
        (schema(a={"type": "string", "enum": ["x", "x"]}), "properties.a.enum"),
        (schema(a={"type": "string", "enum": ["x", 5]}), "properties.a.enum"),
        (schema(a={"type": "string", "enum": ["x\u200b"]}), "properties.a.enum"),
        (schema(a={"type": "string", "enum": ["x"], "enumNames": ["X", "Y"]}), "properties.a.enumNames"),
        (schema(a={"type": "string", "enumNames": ["X"]}), "properties.a.enumNames"),
        (schema(a={"type": "string", "description": "x" * 2_001}), "properties.a.description"),
        (schema(a={"type": "integer", "default": 1.5}), "properties.a.default"),
        (schema(a={"type": "string", "enum": ["x"], "default": "y"}), "properties.a.default"),
        (schema(**{"": {"type": "string"}}), "properties."),
        (schema(**{"a\u202eb": {"type": "string"}}), "properties.a\u202eb"),
    ],
)
def test_schema_that_no_form_can_show_is_refused(given, path):
    assert path in paths(schema_problems(given))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "A"),
        ("name", "A" * 41),
        ("name", None),
        ("name", 5),
        ("email", "ada"),
        ("email", "ada@example.com\n"),
        ("site", "example.com"),
        ("site", "https://exa mple.com"),
        ("day", "2027-02-29"),
        ("day", "20270228"),
        ("at", "2027-02-28T12:30:00"),
        ("at", "2027-02-28T25:30:00Z"),
        ("size", "Small"),
        ("amount", -1),
        ("amount", 99.6),
        ("amount", "1"),
        ("amount", True),
        ("copies", 1.5),
        ("copies", 0),
        ("copies", 2**53),
        ("urgent", 1),
        ("other", "x"),
    ],
)
def test_invalid_answer_names_its_field(name, value):
    assert paths(answer_problems(schema(**FIELDS), {**ANSWER, name: value})) == {name}


def test_every_invalid_field_is_named():
    needed = {**schema(**FIELDS), "required": ["name", "day"]}

    assert paths(answer_problems(needed, {"day": "tomorrow", "copies": 0})) == {"name", "day", "copies"}
    assert paths(answer_problems(needed, ["name"])) == {""}


numbers = st.integers(-5, 5) | st.floats(-5, 5, allow_nan=False).map(lambda x: round(x, 1))
texts = st.text("abé€", max_size=4)
fields = st.one_of(
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": st.integers(0, 2), "maxLength": st.integers(2, 4)}),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.lists(texts.filter(bool), min_size=1, max_size=3, unique=True)}),
    st.fixed_dictionaries({"type": st.just("number")}, optional={"minimum": st.floats(-3, 0), "maximum": st.floats(0, 3)}),
    st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": st.integers(-3, 0), "maximum": st.integers(0, 3)}),
    st.just({"type": "boolean"}),
)
schemas = st.dictionaries(st.sampled_from("abc"), fields, min_size=1).flatmap(
    lambda properties: st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.just(properties), "additionalProperties": st.just(False)},
        optional={"required": st.lists(st.sampled_from(sorted(properties)), unique=True)},
    )
)
values = st.one_of(numbers, texts, st.booleans(), st.none(), st.lists(numbers, max_size=1))


@settings(max_examples=500, deadline=None)
@given(schemas, st.dictionaries(st.sampled_from("abcd"), values) | values)
def test_answers_are_valid_where_json_schema_says_so(schema, answer):
    Draft202012Validator.check_schema(schema)
    assert not [*schema_problems(schema)]

    assert (not [*answer_problems(schema, answer)]) == Draft202012Validator(schema).is_valid(answer)
