"""The OpenAPI description: valid, committed, and complete."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from core.errors import ProtocolError
from core.openapi_components import ERROR_DESCRIPTIONS

COMMITTED = Path(__file__).parent.parent.parent / "openapi.yaml"


@pytest.fixture
def schema(client):
    return client.get("/openapi.json").json()


@pytest.fixture
def operations(schema):
    return [(method, path, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()]


_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import config.asgi
from config.docs_views import description

at_once = Barrier(6)
print(len(set(ThreadPoolExecutor(6).map(lambda _: at_once.wait() is None or description(), range(6)))))
"""


def test_the_first_requests_for_the_description_may_come_at_once():
    done = subprocess.run([sys.executable, "-c", _AT_ONCE], cwd=COMMITTED.parent, capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.returncode) == ("1", 0), done.stderr


def test_the_description_is_valid_and_the_committed_one(tmp_path):
    made = tmp_path / "openapi.yaml"

    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made))

    assert made.read_text() == COMMITTED.read_text(), "make schema writes it anew"


def test_the_served_description_is_the_committed_one(schema):
    assert schema == json.loads(json.dumps(yaml.safe_load(COMMITTED.read_text())))
    assert schema["openapi"].startswith("3.1")


def test_operation_ids_make_good_method_names(operations):
    names = [operation["operationId"] for _, _, operation in operations]

    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert len(names) == len(set(names))


def test_every_operation_says_what_it_is_and_how_it_fails(operations):
    for _, path, operation in operations:
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path
        assert "security" in operation, path
        assert all(response.get("description", "$ref" in response) for response in operation["responses"].values()), path
        assert {"400", "401", "403", "404", "429", "500", "503"} <= operation["responses"].keys(), path
        assert all(status in ERROR_DESCRIPTIONS for status in operation["responses"] if status >= "400"), path


def test_every_status_of_the_catalogue_is_described():
    unknown_methods = {"405"}  # Which the description does not have.
    assert {str(problem.status) for problem in ProtocolError.catalogue.values()} - unknown_methods <= ERROR_DESCRIPTIONS.keys()


def named(schema, reference):
    return schema["components"]["schemas"][reference["$ref"].rpartition("/")[2]]


def test_every_body_is_strict(schema, operations):
    for _, path, operation in operations:
        if "requestBody" in operation:
            for content in operation["requestBody"]["content"].values():
                found = named(schema, content["schema"])
                bodies = [named(schema, each) for each in found["oneOf"]] if "properties" not in found else [found]
                assert all(body["additionalProperties"] is False for body in bodies), path


def test_every_json_body_has_an_example(operations):
    bodies = {path: operation["requestBody"]["content"] for _, path, operation in operations if "requestBody" in operation}

    assert [path for path, content in bodies.items() if "example" not in content.get("application/json", {"example": None})] == []


def test_types_have_the_names_that_people_would_give_them(schema):
    """Generators of clients make them classes: no IntentOut, no StatusEnum, no Status8f2Enum."""
    assert [name for name in schema["components"]["schemas"] if re.search(r"(In|Out|Enum|\d)$|Serializer", name)] == []


def test_every_reference_leads_somewhere(schema):
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(schema))):
        found = schema
        for part in reference.split("/"):
            found = found[part]


def test_description_reveals_nothing_internal(schema):
    text = json.dumps(schema)

    assert "DRF" not in text
    assert "docstring" not in text


def parts(schema, path=()):
    """Yield each object in the description with its place."""
    if isinstance(schema, dict):
        yield path, schema
    for name, each in schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ():
        yield from parts(each, (*path, name))


def test_values_have_one_form(schema):
    """Generators make unions without names classes like CreateIntentRequestAssignAnyOf, or nothing that compiles."""
    examples = {"example", "examples"}
    found = [(path, each) for path, each in parts(schema) if not examples & set(path)]

    assert [path for path, each in found if "anyOf" in each] == [("components", "schemas", "StreamFrame")]
    assert [path for path, each in found if "not" in each] == []
    for path, each in found:
        assert all("$ref" in choice or choice == {"type": "null"} for choice in each.get("oneOf", [])), path


def test_forms_are_the_fullest(schema):
    create = schema["components"]["schemas"]["CreateIntentRequest"]["properties"]
    dependencies = schema["components"]["schemas"]["AddDependenciesRequest"]["properties"]["depends_on"]

    assert create["constraints"]["type"] == "object"
    assert (create["assign"]["type"], create["assign"]["items"]) == ("array", {"$ref": "#/components/schemas/AssigneeRequest"})
    assert (dependencies["type"], dependencies["items"]["type"]) == ("array", "string")
    assert schema["components"]["schemas"]["RecordCostRequest"]["properties"]["amount"]["type"] == "number"
    assert schema["components"]["parameters"]["AgentId"]["schema"]["type"] == "string"


def test_shorter_forms_are_accepted(api):
    first = api.post("/intents", {"title": "Visa"}).json()
    made = api.post("/intents", {"title": "Trip", "assign": "bob", "constraints": ["cheap"]}).json()
    waiting = api.post(f"/intents/{made['id']}/dependencies", {"depends_on": first["id"]}, version=made["version"]).json()
    asked = api.post(f"/intents/{made['id']}/arbitrate", {"reason": "Which?", "options": ["north", {"label": "south"}]}).json()
    cost = api.post(f"/intents/{made['id']}/costs", {"cost_type": "call", "amount": "0.1"}).json()

    assert (made["agents"], made["constraints"]) == ([{"agent_id": "bob", "role": "worker"}], {"rules": ["cheap"]})
    assert waiting["depends_on"] == [first["id"]]
    assert [each["label"] for each in asked["options"]] == ["north", "south"]
    assert cost["amount"] == 0.1
