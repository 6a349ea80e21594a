"""Assignments of agents to intents."""

from tests.conftest import fresh, log


def test_assignment_is_an_event_and_no_new_version(api, make_intent):
    intent = make_intent()

    response = api.post(f"/intents/{intent['id']}/agents", {"agent_id": "team/bot:1"})

    assert response.status_code == 201
    assert (response.json()["agent_id"], response.json()["role"], response.json()["assigned_by"]) == (
        "team/bot:1",
        "worker",
        "dev-user",
    )
    now = fresh(api, intent)
    assert (now["version"], now["agents"]) == (1, [{"agent_id": "team/bot:1", "role": "worker"}])
    assert api.get(f"/intents/{intent['id']}/agents").json() == {"agents": now["agents"], "next": None}
    assert log(api, intent)[-1] == ("agent_assigned", "dev-user")


def test_repeated_assignment_changes_nothing_and_another_role_replaces_it(api, make_intent):
    intent = make_intent(assign=["ada"])

    again = api.post(f"/intents/{intent['id']}/agents", {"agent_id": "ada"})
    assert again.status_code == 200
    assert fresh(api, intent) == intent

    api.post(f"/intents/{intent['id']}/agents", {"agent_id": "ada", "role": "lead"})
    assert fresh(api, intent)["agents"] == [{"agent_id": "ada", "role": "lead"}]


def test_unassignment_is_idempotent(api, make_intent):
    intent = make_intent(assign=["team/bot", "ada"])

    for _ in range(2):
        assert api.delete(f"/intents/{intent['id']}/agents/team%2Fbot").status_code == 204

    assert fresh(api, intent)["agents"] == [{"agent_id": "ada", "role": "worker"}]
    assert [kind for kind, _ in log(api, intent)].count("agent_unassigned") == 1


def test_intents_of_an_agent_are_listed(api, make_intent):
    mine = [make_intent(assign="team/bot"), make_intent(assign=["ada", "team/bot"])]
    make_intent(assign="ada")

    found = api.get("/agents/team%2Fbot/intents").json()["intents"]

    assert [intent["id"] for intent in found] == [intent["id"] for intent in mine[::-1]]
    assert api.get("/intents", agent_id="team/bot").json()["intents"] == found
