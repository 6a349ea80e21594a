"""Rights of each key role."""

import pytest

ROLES = ("observer", "agent", "arbiter", "operator")

READS = [
    "/intents",
    "/intents/{id}",
    "/intents/{id}/events",
    "/intents/{id}/graph",
    "/intents/{id}/agents",
    "/events",
    "/agents/ada/intents",
]
WRITES = {
    "create an intent": ("POST", "/intents", {"title": "Do it"}),
    "change details": ("PATCH", "/intents/{id}", {"title": "New"}),
    "change the state": ("POST", "/intents/{id}/state", {"state": {"a": 1}}),
    "change the status": ("POST", "/intents/{id}/status", {"status": "active"}),
    "create a child": ("POST", "/intents/{id}/children", {"title": "A part"}),
    "log an event": ("POST", "/intents/{id}/events", {"event_type": "comment"}),
    "log events": ("POST", "/intents/{id}/events/batch", {"events": [{"event_type": "comment"}]}),
    "assign an agent": ("POST", "/intents/{id}/agents", {"agent_id": "ada"}),
    "unassign an agent": ("DELETE", "/intents/{id}/agents/ada", None),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", READS)
def test_every_role_reads(caller, make_intent, role, path):
    assert caller(role).get(path.format(**make_intent())).status_code == 200


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", WRITES)
def test_all_but_observers_write(caller, make_intent, role, operation):
    method, path, body = WRITES[operation]

    response = caller(role).send(method, path.format(**make_intent()), body, version=1)

    assert response.status_code == 403 if role == "observer" else response.status_code in (200, 201, 204), response.content


@pytest.mark.parametrize("role", ROLES)
def test_only_operators_handle_keys(caller, make_key, role):
    key_id, someone = make_key()["id"], caller(role)

    answers = [someone.get("/keys"), someone.post("/keys", {"name": "ci", "role": "agent"}), someone.delete(f"/keys/{key_id}")]

    expected = [200, 201, 204] if role == "operator" else [403, 403, 403]
    assert [answer.status_code for answer in answers] == expected


def test_a_refusal_names_the_role_that_is_needed(caller):
    response = caller("observer").post("/intents", {"title": "Do it"})

    assert response.json()["code"] == "forbidden"
    assert response.json()["detail"] == "This requires the role agent; the key has the role observer."
