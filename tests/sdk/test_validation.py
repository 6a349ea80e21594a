"""Validation of input before it is sent (protocol K-3)."""

import math
from collections import OrderedDict
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from uuid import UUID, uuid4

import pytest
from openintent import (
    Agent,
    AsyncOpenIntentClient,
    IntentStatus,
    OpenIntentClient,
    OpenIntentError,
    ValidationError,
    Worker,
    on_event,
)
from openintent.enums import SERVER_WRITTEN, EventType
from openintent.validation import (
    InputValidationError,
    validate_agent_id,
    validate_arbitration_request,
    validate_event,
    validate_event_filter,
    validate_events,
    validate_intent_create,
    validate_intent_update,
    validate_json,
    validate_key,
    validate_lease_acquire,
    validate_patches,
    validate_state,
)

from core.agent_ids import agent_id_problem
from tests.access.agent_ids import REFUSED

from .samples import INTENT

pytestmark = pytest.mark.rule("K-3")

ID = INTENT["id"]


class Colour(Enum):
    RED = 1


def nested(depth):
    value = {}
    for _ in range(depth - 1):
        value = [value]
    return value


def refusal(validate, *args, **kwargs):
    with pytest.raises(InputValidationError) as caught:
        validate(*args, **kwargs)
    return caught.value


def test_an_empty_title_is_refused_in_the_readmes_words():
    error = refusal(validate_intent_create, title="")

    assert str(error) == "title cannot be empty"
    assert error.field == "title"


def test_input_error_is_a_validation_error_and_value_error():
    error = refusal(validate_intent_create, title="")

    assert isinstance(error, ValidationError)
    assert isinstance(error, ValueError)
    assert (error.status_code, error.code) == (None, "invalid")


@pytest.mark.parametrize(
    ("arguments", "field", "message"),
    [
        ({"title": "  \n"}, "title", "cannot be empty"),
        ({"title": None}, "title", "must be text, not NoneType"),
        ({"title": "x" * 501}, "title", "cannot be longer than 500 characters; it has 501"),
        ({"title": "a\0b"}, "title", "NUL"),
        ({"title": "\ud800"}, "title", "surrogates"),
        ({"description": "x" * 10_001}, "description", "10,000 characters"),
        ({"description": 3}, "description", "must be text"),
        ({"confidence": 101}, "confidence", "must be a whole number from 0 to 100"),
        ({"confidence": -1}, "confidence", "0 to 100"),
        ({"confidence": 0.5}, "confidence", "whole number"),
        ({"confidence": True}, "confidence", "whole number"),
        ({"confidence": math.nan}, "confidence", "whole number"),
        ({"state": [1]}, "state", "must be a dict, not list"),
        ({"constraints": "cheap"}, "constraints", "must be a dict or a list of rules, not str"),
        ({"assign": ""}, "assign", "cannot be empty"),
        ({"assign": ["ada", "x" * 256]}, "assign", "255 characters"),
        ({"state": {"a": [1, {"b": uuid4()}]}}, "state.a[1].b", "UUID is not JSON-serializable"),
    ],
)
def test_invalid_intent_is_rejected(arguments, field, message):
    error = refusal(validate_intent_create, **{"title": "Book", **arguments})

    assert error.field == field
    assert str(error).startswith(field)
    assert message in str(error)


def test_intent_at_its_limits_is_accepted():
    validate_intent_create(
        title="ü" * 500,
        description="x" * 10_000,
        state={},
        constraints=["a", "b"],
        confidence=100,
        assign=["ada", "x" * 255],
    )
    validate_intent_create("Book", "", confidence=0)


def test_only_the_changes_that_are_given_are_checked():
    validate_intent_update(description=None, confidence=None)

    assert refusal(validate_intent_update, title=None).field == "title"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "send value.isoformat()"),
        (date(2026, 1, 1), "send value.isoformat()"),
        (Decimal("1.10"), "send str(value)"),
        (uuid4(), "send str(value)"),
        (Colour.RED, "send value.value"),
        (b"bytes", "base64"),
        ({1, 2}, "send list(value)"),
        (object(), "object is not JSON-serializable"),
        (math.inf, "must be a finite number"),
        (math.nan, "must be a finite number"),
        (2**53, "2^53−1"),
        (-(2**53), "2^53−1"),
        ("a\0", "NUL"),
        ("\udfff", "surrogates"),
        ({1: 2}, "a key that is not text: 1"),
        ({"a\0": 2}, "NUL"),
        (nested(65), "nested more than 64 deep"),
    ],
)
def test_values_that_are_not_json_are_rejected(value, message):
    assert message in str(refusal(validate_json, value, "state"))


def test_a_value_that_contains_itself_is_refused():
    value = []
    value.append(value)

    assert "64 deep" in str(refusal(validate_json, value, "state"))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**53 - 1,
        -(2**53 - 1),
        1e300,
        "𝄞 ü \n",
        nested(64),
        (1, 2),
        OrderedDict(a=1),
        MappingProxyType({"a": 1}),
        IntentStatus.DRAFT,
    ],
)
def test_json_values_are_accepted(value):
    validate_json(value, "state")


@pytest.mark.parametrize("event_type", ["comment", "a", "my.own-type_2", "x" * 100])
def test_own_event_types_are_accepted(event_type):
    validate_event(event_type, {"a": 1})


@pytest.mark.parametrize("event_type", ["", "Comment", "2nd", "a b", "ä", "x" * 101, "a\n", None, 3])
def test_event_types_of_another_form_are_refused(event_type):
    assert refusal(validate_event, event_type).field == "event_type"


@pytest.mark.parametrize("event_type", sorted(SERVER_WRITTEN))
def test_the_servers_event_types_are_refused(event_type):
    assert "is reserved for the server" in str(refusal(validate_event, event_type))


def test_a_payload_is_a_dict():
    assert refusal(validate_event, "comment", [1]).field == "payload"


def test_batch_error_names_the_invalid_event():
    error = refusal(validate_events, [{"event_type": "a"}, {"event_type": "B"}])

    assert error.field == "events[1].event_type"
    assert str(error).startswith("events[1]: event_type must be")


def test_batches_outside_the_size_limits_are_rejected():
    validate_events([{"event_type": "a"}] * 1000)

    assert "not 1,001" in str(refusal(validate_events, [{"event_type": "a"}] * 1001))
    assert "not 0" in str(refusal(validate_events, []))
    assert refusal(validate_events, [{}]).field == "events[0].event_type"


@pytest.mark.parametrize("agent_id", ["a", "agent:dev", "team/bot", "größe", "x" * 255])
def test_agent_ids_are_free_text(agent_id):
    validate_agent_id(agent_id)


@pytest.mark.parametrize("agent_id", ["", " ", "x" * 256, None, "a\0", "system"])
def test_other_agent_ids_are_refused(agent_id):
    assert refusal(validate_agent_id, agent_id).field == "agent_id"


@pytest.mark.case("coordination O3")
@pytest.mark.case("security L10")
@pytest.mark.parametrize("agent_id", REFUSED, ids=ascii)
def test_reserved_names_are_rejected_with_the_servers_message(agent_id):
    problem = agent_id_problem(agent_id)

    assert str(refusal(validate_agent_id, agent_id)) == f"agent_id: {problem.message}"
    assert refusal(validate_key, agent_id).field == "name"
    validate_agent_id(agent_id.replace("\0", "0"), acts=False)


@pytest.mark.case("coordination O3")
@pytest.mark.parametrize("agent_id", ["user:grace", "User:grace", "system"])
def test_no_client_or_agent_can_use_a_reserved_name(agent_id):
    for make in (
        lambda: OpenIntentClient("http://localhost", "key", agent_id=agent_id),
        lambda: AsyncOpenIntentClient("http://localhost", "key", agent_id=agent_id),
        lambda: Worker(agent_id, print),
        lambda: Agent(agent_id),
    ):
        assert refusal(make).field == "agent_id"


@pytest.mark.case("coordination O21")
@pytest.mark.parametrize("labels", [["a", "a\u200b"], ["approve", "\u0430pprove"], ["a", "A"], ["\u202ea"]], ids=ascii)
def test_options_that_look_the_same_are_refused(labels):
    assert refusal(validate_arbitration_request, "May I?", options=labels).field.startswith("options")


@pytest.mark.parametrize(
    ("patches", "field"),
    [
        ([], "patches"),
        ([3], "patches[0]"),
        ([{"op": "set", "path": "a", "value": 1}, {"op": "add", "path": "a"}], "patches[1].op"),
        ([{"op": "set", "value": 1}], "patches[0].path"),
        ([{"op": "set", "path": "a"}], "patches[0].value"),
        ([{"op": "set", "path": "a", "value": math.inf}], "patches[0].value"),
    ],
)
def test_invalid_patches_are_rejected(patches, field):
    assert refusal(validate_patches, patches).field == field


def test_valid_patches_are_accepted():
    validate_patches(
        [
            {"op": "set", "path": "a", "value": None},
            {"op": "append", "path": "/a/b~1c", "value": {}},
            {"op": "remove", "path": ""},
        ]
    )


def test_an_empty_change_of_state_is_refused():
    assert str(refusal(validate_state, {})) == "state cannot be empty"


@pytest.mark.parametrize("scope", ["content", "content.draft", "a b.c/d", "x" * 200])
@pytest.mark.parametrize("seconds", [1, 300, 86_400])
def test_valid_leases_are_accepted(scope, seconds):
    validate_lease_acquire(scope, seconds)
    validate_lease_acquire(scope=scope, duration_seconds=seconds)


@pytest.mark.parametrize("scope", ["", " ", ".", "a.", ".a", "a..b", "a. .b", "x" * 201, None, "a\0"])
def test_invalid_scopes_are_rejected(scope):
    assert refusal(validate_lease_acquire, scope, 300).field == "scope"


@pytest.mark.parametrize("seconds", [0, -1, 86_401, 1.5, True, "300", None])
def test_invalid_durations_are_rejected(seconds):
    error = refusal(validate_lease_acquire, "content", seconds)

    assert str(error) == "duration_seconds must be a whole number from 1 to 86,400"
    assert error.field == "duration_seconds"


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda c: c.create_intent(""), "title"),
        (lambda c: c.create_intent("a", state={"at": datetime(2026, 1, 1)}), "state.at"),
        (lambda c: c.create_intent("a", created_by="a\0"), "created_by"),
        (lambda c: c.create_intent("a", parent_id=3), "id"),
        (lambda c: c.create_child_intent(ID, "a", confidence=101), "confidence"),
        (lambda c: c.create_intent("a", idempotency_key="é"), "idempotency_key"),
        (lambda c: c.update_intent(ID, 1), None),
        (lambda c: c.update_intent(ID, 0, title="a"), "version"),
        (lambda c: c.update_intent(ID, 1, title=None), "title"),
        (lambda c: c.update_state(ID, "1", {"a": 1}), "version"),
        (lambda c: c.update_state(ID, True, {"a": 1}), "version"),
        (lambda c: c.update_state(ID, 1), "state"),
        (lambda c: c.update_state(ID, 1, {}), "state"),
        (lambda c: c.update_state(ID, 1, {"a": 1}, patches=[]), "state"),
        (lambda c: c.update_state(ID, 1, patches=[]), "patches"),
        (lambda c: c.update_state(ID, 1, nested(64)), "state"),
        (lambda c: c.set_status(ID, 1, "active", reason="\ud800"), "reason"),
        (lambda c: c.add_dependency(ID, 1, [UUID(ID), 3]), "id"),
        (lambda c: c.log_event(ID, "intent_created"), "event_type"),
        (lambda c: c.log_events(ID, []), "events"),
        (lambda c: c.get_events(ID, since=datetime(2026, 1, 1)), "since"),
        (lambda c: c.get_events(ID, ["comment"]), "event_type"),
        (lambda c: c.list_events(event_type=3), "event_type"),
        (lambda c: c.list_intents(q="\0"), "q"),
        (lambda c: c.assign_agent(ID, ""), "agent_id"),
        (lambda c: c.create_key("ci", agent_id=""), "agent_id"),
        (lambda c: c.log_tool_call_started(ID, tool_name="a", tool_id="b", arguments={"x": {1}}), "payload.arguments.x"),
    ],
)
def test_invalid_input_is_not_sent(client, script, act, field):
    error = refusal(act, client)

    assert error.field == field
    assert script.seen == []


@pytest.mark.case("console M23")
@pytest.mark.parametrize(
    "filter_by",
    [
        lambda client: client.get_events(ID, event_type="comment,state_patch"),
        lambda client: client.list_events(event_type="state_patch"),
        lambda client: client.stream(event_types=["comment", "state_patch"]),
        lambda client: client.subscribe(ID, callback_url="https://x.example", event_types=["state_patch"]),
        lambda client: on_event("state_patch"),
    ],
    ids=["get_events", "list_events", "stream", "subscribe", "on_event"],
)
def test_a_misspelled_type_to_filter_by_is_pointed_out(filter_by, caplog, script):
    script.respond({"events": [], "next": None})
    with OpenIntentClient(script.url) as client, suppress(OpenIntentError):
        filter_by(client)

    assert [each.getMessage() for each in caplog.records if each.name == "openintent"] == [
        "The event type 'state_patch' is none of the protocol's. Did you mean 'state_patched'?"
    ]


@pytest.mark.parametrize("event_type", [["comment"], ("comment",), 3, True, b"comment", {"comment"}], ids=repr)
def test_event_types_to_filter_by_that_are_no_text_are_refused(event_type):
    error = refusal(validate_event_filter, event_type)

    assert str(error) == f"event_type must be text like 'comment,state_patched', not {type(event_type).__name__}"
    assert error.field == "event_type"


@pytest.mark.parametrize("event_type", ["comment", "comment,state_patched", "", EventType.COMMENT, "my own", None])
def test_event_types_to_filter_by_are_text(event_type, caplog):
    validate_event_filter(event_type)

    assert caplog.messages == []


def test_a_type_of_a_clients_own_is_not_pointed_out(caplog):
    with OpenIntentClient("http://x") as client:
        client.stream(event_types=["deploy_started", "state_patched", "x"])

    assert caplog.messages == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.create_intent("x", assign=3),
        lambda client: client.create_intent("x", depends_on=3),
        lambda client: client.add_dependency(ID, 1, 3),
        lambda client: client.add_dependency(ID, ID, 3),  # In the order of the published package.
    ],
)
def test_a_number_in_place_of_an_id_is_refused_by_name(call):
    with OpenIntentClient("http://x") as client, pytest.raises(InputValidationError, match="id"):
        call(client)
