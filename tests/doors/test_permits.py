"""Gates at /mcp: the door finds and spends the permit of the call that was refused (protocol A-9, A-12, M-3)."""

import pytest

from tests.doors.conftest import KEY, Rest, call, connected

pytestmark = pytest.mark.rule("A-12", "M-3")


@pytest.fixture
def boss(server):
    """An operator's API."""
    return Rest(server.url, agent="boss")


@pytest.fixture
def agent_key(boss):
    """The key of an agent, which passes no gate."""
    return key_of(boss, "pia")


def key_of(boss, agent):
    return boss.post("/keys", {"name": f"key of {agent}", "role": "agent", "agent_id": agent})["key"]


@pytest.fixture
def gated(boss):
    """An intent whose status agents may change with a permit alone."""
    made = boss.intent()
    boss.post("/gates", {"verb": "set_status", "intent_id": made["id"]})
    return made


def decide(boss, asked, decision):
    question = boss.get(f"/arbitrations/{asked['arbitration_id']}")
    boss.post(f"/intents/{question['intent_id']}/decisions", {"decision": decision, "arbitration_id": question["id"]})


async def test_the_call_goes_through_once_after_an_approval(server, boss, agent_key, gated, wire):
    again = {"intent_id": gated["id"], "version": 1, "status": "active"}
    async with connected(server.url, wire, agent="", key=agent_key) as client:
        refused = await call(client, "set_status", **again)
        assert refused["code"] == "permit_required"
        asked = await call(client, "ask", intent_id=gated["id"], question="May I start?", remedy=refused["remedy"])
        same = await call(client, "ask", intent_id=gated["id"], question="May I start?", remedy=refused["remedy"])
        assert same["arbitration_id"] == asked["arbitration_id"]
        assert (await call(client, "set_status", **again))["code"] == "permit_required"

        decide(boss, asked, "approve")
        decided = await call(client, "wait_for_decision", arbitration_id=asked["arbitration_id"])
        done = await call(client, "set_status", **again)
        [permit] = boss.get(f"/intents/{gated['id']}/permits")["permits"]
        assert done["status"] == "active"
        assert permit["status"] == "spent"
        assert permit["id"] not in f"{decided}{done}"

        replayed = await call(client, "set_status", **again | {"version": 2, "status": "draft"})
        assert replayed["code"] == "permit_required"
    assert [each["event_type"] for each in boss.get(f"/intents/{gated['id']}/events")["events"]].count("status_changed") == 1


async def test_an_approval_is_not_for_other_arguments_or_agents(server, boss, agent_key, gated):
    other_key = key_of(boss, "eve")
    async with (
        connected(server.url, "2025-11-25", agent="", key=agent_key) as client,
        connected(server.url, "2025-11-25", agent="", key=other_key) as eve,
    ):
        refused = await call(client, "set_status", intent_id=gated["id"], version=1, status="active")
        asked = await call(client, "ask", intent_id=gated["id"], question="May I start?", remedy=refused["remedy"])
        decide(boss, asked, "approve")

        assert (await call(client, "set_status", intent_id=gated["id"], version=1, status="abandoned"))[
            "code"
        ] == "permit_required"
        assert (await call(eve, "set_status", intent_id=gated["id"], version=1, status="active"))["code"] == "permit_required"
    assert boss.get(f"/intents/{gated['id']}")["status"] == "draft"


@pytest.mark.parametrize("decision", ["refuse", None])
async def test_without_an_approval_the_call_is_refused(server, boss, agent_key, gated, decision):
    async with connected(server.url, "2026-07-28", agent="", key=agent_key) as client:
        refused = await call(client, "set_status", intent_id=gated["id"], version=1, status="active")
        asked = await call(client, "ask", intent_id=gated["id"], question="May I start?", remedy=refused["remedy"])
        if decision:
            decide(boss, asked, decision)

        assert (await call(client, "set_status", intent_id=gated["id"], version=1, status="active"))["code"] == "permit_required"


@pytest.mark.parametrize("remedy", ["text", 1, [], {"action": "x"}, {"action": {"verb": "set_status"}}])
async def test_other_values_than_a_remedy_ask_nothing(server, boss, gated, remedy):
    async with connected(server.url, "2025-11-25", key=KEY) as client:
        refused = await call(client, "ask", intent_id=gated["id"], question="May I?", remedy=remedy)

    assert refused["code"] == "invalid"
    assert boss.get(f"/intents/{gated['id']}/arbitrations")["arbitrations"] == []
