"""The SDK and the server's OpenAPI document have the same operations."""

import inspect
import re

import pytest
import requests
from openintent import OpenIntentClient
from openintent._call import call_builder
from openintent._operations import OPERATIONS
from openintent._stream_state import stream_call
from openintent.resources import Resources

pytestmark = pytest.mark.database("sqlite")


SAMPLES = {"version": 1, "title": "t", "status": "active", "event_type": "comment", "name": "ci", "amount": 1}
OWN_BODY = {
    "add_attachment": {"filename": "a.txt", "content": b""},
    "update_intent": {"title": "t"},
    "update_state": {"state": {"a": 1}},
    "create_intents": {"intents": [{"title": "t"}]},
    "log_events": {"events": [{"event_type": "a"}]},
    "update_portfolio": {"name": "t"},
    "update_subscription": {"status": "paused"},
    "create_channel": {"name": "ops", "kind": "email", "target": "ops@example.com"},
    "update_channel": {"name": "ops"},
    "spend_permit": {"action": {"verb": "deploy", "target": "shop"}},
    "record_outcome": {"outcome": "failed"},
    "record_decision": {"decision": "yes"},
    "assign_arbitration": {"assignee": None},
}
STREAMS = {
    "follow_intent": {"intent_id": "x"},
    "follow_portfolio": {"portfolio_id": "x"},
    "follow_agent": {"agent_id": "x"},
    "follow_events": {},
}
"""What `stream()` asks for: not one answer, so no `Call` to send."""
OTHERS = {
    "ask",
    "base_url",
    "lease",
    "permit",
    "request_input",
    "request_permit",
    "send",
    "stream",
    "wait_for_decision",
    "wait_for_permit",
}
"""Members of a client that are no operation of their own."""


@pytest.fixture(scope="module")
def operations(server):
    """`{operationId: (method, path)}` of what the document calls the API."""
    paths = requests.get(f"{server.url}/openapi.json", timeout=10).json()["paths"]
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "operationId" in operation
    }


def described(name):
    """The call of a method, with something for each argument it needs."""
    if name in STREAMS:
        return stream_call(**STREAMS[name])
    method = call_builder(getattr(OpenIntentClient, name))
    needed = [
        parameter.name
        for parameter in list(inspect.signature(method).parameters.values())
        if parameter.default is parameter.empty
    ]
    return method(**{one: SAMPLES.get(one, "x") for one in needed} | OWN_BODY.get(name, {}))


def test_the_table_of_operations_is_the_servers(operations):
    assert operations == OPERATIONS


def test_every_operation_of_the_server_has_a_method_or_is_a_stream(operations):
    assert {name for name in operations if not hasattr(Resources, name)} == set(STREAMS)


def test_each_method_requests_its_operation(operations):
    for name, (method, path) in operations.items():
        call = described(name)
        pattern = re.sub(r"\\{.*?\\}", "[^/]+", re.escape(path))
        assert call.method == method, name
        assert re.fullmatch(pattern, call.path), f"{name}: {call.path} is not {path}"


def test_each_method_is_an_operation_or_logs_an_event(operations):
    for name in (name for name in dir(Resources) if not name.startswith("_") and name not in OTHERS):
        assert name in operations or described_as_event(name), name


def described_as_event(name):
    call = described(name)
    return str(call) == "POST /api/v1/intents/x/events" and call.json["event_type"] != "comment"
