"""Names that are taken, and ids that look like others: refused wherever a key, a header or a body gives one (protocol §1.1)."""

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from access import bound_agents, key_lookup
from access.models import ApiKey
from access.services import create_key
from core.agent_ids import fold_agent_id
from core.errors import Invalid
from governance.models import Arbitration
from intents.models import Assignment, Event
from tests.access.agent_ids import REFUSED
from tests.access.operations import agent_fields, everything, make_world, operations
from tests.conftest import Caller

BODIES = [(each.id, field) for each in operations().values() for field in agent_fields(each)]

pytestmark = [pytest.mark.django_db, pytest.mark.rule("E-3")]


@pytest.fixture
def world(api):
    return make_world(api)


@pytest.mark.case("security H5")
@pytest.mark.case("security L10")
@pytest.mark.case("coordination O3")
@pytest.mark.parametrize(("operation", "field"), BODIES)
def test_no_body_names_the_server_a_person_or_a_look_alike(world, operation, field):
    caller, before = Caller("agent-research-key" if operation != "create_key" else "dev-user-key"), everything()

    for name in REFUSED:
        response = operations()[operation].send(caller, world, **{field: name})

        assert (response.status_code, response.json()["code"]) == (400, "invalid"), (name, response.content)
        assert response.json()["errors"][0]["field"].split(".")[0] == field
    assert everything() == before


def test_all_bodies_that_name_agents_are_known():
    assert len(BODIES) >= 27
    assert {
        "created_by",
        "actor",
        "agent_id",
        "requested_by",
        "decided_by",
        "assign",
        "delegate",
        "subscriber_id",
        "fallback_agent_id",
        "name",
    } == {field for _, field in BODIES}


@pytest.mark.case("security H5")
@pytest.mark.case("security L10")
@pytest.mark.case("coordination O3")
@pytest.mark.parametrize(
    "operation", ["get_intent", "log_event", "set_status", "acquire_lease", "record_decision", "list_events"]
)
def test_no_header_names_the_server_a_person_or_a_look_alike(world, operation):
    before = everything()

    for name in (each for each in REFUSED if each == each.strip(" \t")):
        caller = Caller("agent-research-key", name.encode().decode("latin-1"))
        response = operations()[operation].send(caller, world)

        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "X-Agent-ID"), (name, response.content)
    assert everything() == before


@pytest.mark.case("security H5")
@pytest.mark.parametrize("field", ["name", "agent_id"])
def test_no_key_is_made_with_such_a_name_by_anybody(api, admin_client, field):
    for name in REFUSED:
        given = {"name": "ci", "role": "agent", "agent_id": "ada", field: name}

        assert api.post("/keys", given).status_code == 400
        if name == name.strip():  # Spaces at its ends are taken off a form, and off a command's name.
            with transaction.atomic():
                form = admin_client.post("/admin/access/apikey/add/", {**given, "lasts": "never"})
            assert (form.status_code, "oi_" in form.text) == (200, False)
            with pytest.raises(CommandError, match="cannot be used"), transaction.atomic():
                call_command("createkey", given["name"], "--agent", given["agent_id"])
        with pytest.raises(Invalid), transaction.atomic():
            create_key(name=given["name"], role="agent", agent_id=given["agent_id"], created_by="somebody")

    assert not ApiKey.objects.exists()


@pytest.mark.case("security H5")
@pytest.mark.parametrize(("name", "agent_id"), [("user:bob", None), ("system", None), ("ci", "user:bob"), ("ci", "bo\u200bb")])
def test_old_key_with_a_reserved_name_cannot_write_under_it(api, make_key, make_intent, name, agent_id):
    made, intent = make_key(), make_intent()
    ApiKey.objects.update(name=name, agent_id=agent_id)
    key_lookup.clear_verified_keys()
    caller = Caller(made["key"])

    assert caller.get(f"/intents/{intent['id']}").status_code == 200
    assert caller.post(f"/intents/{intent['id']}/events", {"event_type": "comment"}).status_code == 400
    assert [*Event.objects.values_list("event_type", flat=True)] == ["intent_created"]


def test_old_reserved_ids_in_the_log_can_be_read_and_unassigned(api, make_intent):
    intent = make_intent(assign="ada")
    Assignment.objects.update(agent_id="user:alice")

    assert api.get("/agents/user:alice/intents").json()["intents"][0]["id"] == intent["id"]
    assert api.get("/events", actor="user:alice").status_code == 200
    assert api.delete(f"/intents/{intent['id']}/agents/user:alice").status_code == 204


@pytest.mark.parametrize("name", ["alice", "agent:user:1", "users:alice", "user", "systems", "ада", "zoë 2", "数据", "a" * 255])
def test_other_names_are_free(api, make_intent, name):
    intent = make_intent()

    response = Caller("agent-research-key", name.encode().decode("latin-1")).post(
        f"/intents/{intent['id']}/events", {"event_type": "comment", "actor": name}
    )

    assert (response.status_code, response.json()["actor"]) == (201, name)


# --- options that look alike -----------------------------------------------------------------------------------------


@pytest.mark.case("coordination O21")
@pytest.mark.case("security L10")
@pytest.mark.parametrize(
    "labels",
    [
        ["approve", "approve\u200b"], ["approve", "\u0430pprove"], ["approve", "APPROVE"], ["approve", "ａｐｐｒｏｖｅ"], ["approve", "approve "],
        ["approve", "ap\u00adprove"], ["\u202eevorppa"], ["reject\u2066"], ["yes\x07"], ["no  way", "no way"],
    ],
    ids=ascii,
)  # fmt: skip
@pytest.mark.parametrize("shape", ["labels", "objects"])
def test_options_that_look_the_same_are_refused(api, make_intent, labels, shape):
    intent = make_intent()
    options = labels if shape == "labels" else [{"label": label} for label in labels]

    response = api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "May I?", "options": options})

    assert (response.status_code, response.json()["errors"][0]["field"].split(".")[0]) == (400, "options")
    assert response.json()["errors"][0]["code"] in ("invisible_character", "duplicate_label")
    assert not Arbitration.objects.exists()


def test_options_that_differ_are_taken(api, make_intent):
    intent = make_intent()
    labels = ["approve", "approve later", "да", "нет", "option_a", "option_b", "✅", "❌", "1", "l"]

    response = api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "May I?", "options": labels})

    assert [option["label"] for option in response.json()["options"]] == labels


# --- agents with a key of their own ----------------------------------------------------------------------------------


@pytest.fixture
def bound(make_key, django_capture_on_commit_callbacks):
    """A key of the agent botty."""
    with django_capture_on_commit_callbacks(execute=True):
        return make_key("agent", name="botty's", agent_id="botty")


LIKE_BOTTY = ["botty", "BOTTY", "ｂotty", "b\u043etty"]


@pytest.mark.case("security H5")
@pytest.mark.parametrize("operation", operations())
def test_no_other_key_acts_in_a_header_for_an_agent_that_has_its_own(world, bound, operation):
    before = everything()

    for name in LIKE_BOTTY:
        for key in ("agent-research-key", "dev-user-key"):
            response = operations()[operation].send(Caller(key, name.encode().decode("latin-1")), world)

            assert response.status_code == 403, response.content
            assert response.json()["code"] == "agent_mismatch" or key == "agent-research-key"
    assert everything() == before


ACTING = [(operation, field) for operation, field in BODIES if field in ("created_by", "actor", "requested_by", "decided_by")]
ACTING += [
    (operation, "agent_id") for operation in ("acquire_lease", "join_lease_queue", "renew_lease", "record_cost", "record_failure")
]


@pytest.mark.case("security H5")
@pytest.mark.parametrize(("operation", "field"), ACTING)
def test_no_other_key_acts_in_a_body_for_an_agent_that_has_its_own(world, bound, operation, field):
    before = everything()

    for caller in (Caller("agent-research-key"), Caller("agent-research-key", "ada")):
        response = operations()[operation].send(caller, world, **{field: "botty"})

        assert (response.status_code, response.json()["code"]) == (403, "agent_mismatch"), response.content
    assert everything() == before


def test_agent_with_its_own_key_can_be_assigned_and_works(api, world, bound):
    path = f"/intents/{world['intent_id']}"

    assert api.post(f"{path}/agents", {"agent_id": "botty"}).status_code == 201
    assert Caller(bound["key"]).post(f"{path}/events", {"event_type": "comment", "actor": "botty"}).json()["actor"] == "botty"


def test_a_key_whose_name_is_that_of_such_an_agent_acts_under_another(world, bound, make_key):
    path = f"/intents/{world['intent_id']}/events"
    namesake = make_key("agent", name="botty")["key"]

    assert Caller(namesake).post(path, {"event_type": "comment"}).json()["code"] == "agent_mismatch"
    assert Caller(namesake, "ada").post(path, {"event_type": "comment"}).status_code == 201
    assert Caller(namesake).get(path).status_code == 200


def test_the_name_is_free_again_when_its_keys_have_ended(api, world, bound, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        api.delete(f"/keys/{bound['id']}")

    response = Caller("agent-research-key", "botty").post(f"/intents/{world['intent_id']}/events", {"event_type": "comment"})

    assert response.status_code == 201


def test_bound_agents_are_queried_once_in_five_seconds(world, bound, monkeypatch, django_assert_num_queries):
    caller = Caller("agent-research-key", "ada")
    caller.get("/intents/no-id")
    for number in range(3):
        with django_assert_num_queries(0):
            assert Caller("agent-research-key", f"agent-{number}").get("/intents/no-id").status_code == 404
    ApiKey.objects.update(agent_id="ada")  # As another process makes it: nothing tells this one.
    assert caller.get("/intents").status_code == 200
    later = bound_agents.monotonic() + bound_agents.CACHED_FOR + 1

    monkeypatch.setattr(bound_agents, "monotonic", lambda: later)

    assert caller.get("/intents").status_code == 403


def test_look_alike_ids_have_the_same_folded_form():
    assert (
        len({fold_agent_id(each) for each in ["approve", "Approve", "ａpprove", "\u0430pprove", "appro\u200bve", " approve "]})
        == 1
    )
    assert fold_agent_id("agent:one") != fold_agent_id("agent:two")
