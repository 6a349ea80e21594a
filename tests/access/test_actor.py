"""Actor of a write (protocol §1.1): the bound agent, else X-Agent-ID, else the body, else the key's name."""

import pytest

from access.models import ApiKey
from intents.models import Event
from tests.conftest import Caller

WITH_AN_ACTOR = {
    "created_by": ("POST", "/intents", {"title": "Do it"}),
    "created_by of a child": ("POST", "/intents/{id}/children", {"title": "A part"}),
    "actor of details": ("PATCH", "/intents/{id}", {"title": "New"}),
    "actor of a state": ("POST", "/intents/{id}/state", {"state": {"a": 1}}),
    "actor of a status": ("POST", "/intents/{id}/status", {"status": "active"}),
    "actor of a dependency": ("POST", "/intents/{id}/dependencies", {"depends_on": "{other}"}),
    "actor of an assignment": ("POST", "/intents/{id}/agents", {"agent_id": "eve"}),
    "actor of an event": ("POST", "/intents/{id}/events", {"event_type": "comment"}),
    "actor of events": ("POST", "/intents/{id}/events/batch", {"events": [{"event_type": "comment"}]}),
}


@pytest.fixture
def write(make_intent):
    """`write(caller, operation, "bob")`: the answer to a write whose body names bob."""
    intent, other = make_intent(), make_intent(status="completed")

    def write(caller, operation, named=None):
        method, path, body = WITH_AN_ACTOR[operation]
        if "depends_on" in body:
            body = {"depends_on": other["id"]}
        who = {operation.split()[0]: named} if named else {}
        return caller.send(method, path.format(**intent), {**body, **who}, version=1)

    return write


def newest():
    return Event.objects.order_by("row").last()


@pytest.mark.rule("E-3")
@pytest.mark.parametrize("operation", WITH_AN_ACTOR)
@pytest.mark.parametrize(
    ("bound", "header", "named", "actor"),
    [
        (None, None, None, "an agent"),
        (None, None, "bob", "bob"),
        (None, "eve", None, "eve"),
        (None, "eve", "bob", "eve"),
        (None, " ", "bob", "bob"),
        ("ada", None, None, "ada"),
        ("ada", "ada", None, "ada"),
        ("ada", None, "ada", "ada"),
        ("ada", "ada", "ada", "ada"),
    ],
)
def test_the_actor_is_the_first_that_is_known(caller, write, operation, bound, header, named, actor):
    response = write(caller("agent", header, agent_id=bound), operation, named)

    assert response.status_code in (200, 201), response.content
    assert newest().actor == actor


@pytest.mark.rule("E-3")
@pytest.mark.parametrize("operation", WITH_AN_ACTOR)
@pytest.mark.parametrize(("header", "named"), [("bob", None), (None, "bob"), ("ada", "bob"), ("bob", "ada"), ("Ada", None)])
def test_a_bound_key_cannot_speak_for_another(caller, write, operation, header, named):
    before = newest().pk

    response = write(caller("agent", header, agent_id="ada"), operation, named)

    assert (response.status_code, response.json()["code"]) == (403, "agent_mismatch")
    assert newest().pk == before


def test_a_bound_key_cannot_read_as_another(caller):
    response = caller("agent", "bob", agent_id="ada").get("/intents")

    assert (response.status_code, response.json()["code"]) == (403, "agent_mismatch")


def test_an_event_keeps_which_key_it_was(caller):
    caller("agent").post("/intents", {"title": "Do it"})

    assert newest().key_id == ApiKey.objects.get().pk


@pytest.mark.parametrize("agent_id", ["agent:diagnostics", "team/bot", "zoë 2", "a" * 255])
def test_agent_ids_are_free_text(db, agent_id):
    intent = Caller(agent=agent_id.encode().decode("latin-1")).post("/intents", {"title": "Do it"}).json()

    assert intent["created_by"] == agent_id


@pytest.mark.rule("E-3")
@pytest.mark.parametrize("caller", [Caller(), Caller(agent="system")])
def test_server_id_is_reserved_for_the_server(caller, make_intent):
    intent = make_intent()

    response = caller.post(f"/intents/{intent['id']}/events", {"event_type": "comment", "actor": "system"})

    [error] = response.json()["errors"]
    assert (response.status_code, error["code"]) == (400, "reserved")
    assert error["field"] == ("X-Agent-ID" if "X-Agent-ID" in caller.headers else "actor")
    assert newest().event_type == "intent_created"


@pytest.mark.rule("E-3")
@pytest.mark.parametrize("body", [{"agent_id": "system"}, {"agent_id": "ada", "actor": "system"}])
def test_server_id_can_neither_assign_nor_be_assigned(body, make_intent):
    intent = make_intent()

    response = Caller().post(f"/intents/{intent['id']}/agents", body)

    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "reserved")
    assert newest().event_type == "intent_created"
