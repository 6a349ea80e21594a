"""A tool call and the request that it stands for have the same effect, log and refusal (rule M-1)."""

import json
import re
from typing import Any

import pytest

from doors.tools import TOOLS
from tests.doors.conftest import Rest, call, connected

pytestmark = pytest.mark.rule("M-1")

NOBODY = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z")
POSITION = re.compile(r'("position": )\d+')
BATCH = {"intents": [{"ref": "a", "title": "A"}, {"title": "B", "depends_on": ["a"], "parent": "{intent}"}]}

REQUESTS: dict[str, list[tuple[str, str, Any, dict[str, str]]]] = {
    "find_work": [("GET", "/intents?status=draft,pending,active&limit=20&parent_intent_id={intent}", None, {})],
    "take_work": [
        ("POST", "/intents/{intent}/status", {"status": "active"}, {"If-Match": "1"}),
        ("POST", "/intents/{intent}/agents", {"agent_id": "ada", "role": "worker"}, {}),
    ],
    "get_brief": [("GET", "/intents/{intent}/brief?max_chars=600", None, {})],
    "get_intent": [("GET", "/intents/{intent}", None, {})],
    "create_intents": [("POST", "/intents/batch", BATCH, {})],
    "update_state": [("POST", "/intents/{intent}/state", {"state": {"a": 1}}, {"If-Match": "1"})],
    "set_status": [("POST", "/intents/{intent}/status", {"status": "completed", "reason": "Done"}, {"If-Match": "1"})],
    "lease_scope": [("POST", "/intents/{intent}/leases", {"scope": "file:src", "duration_seconds": 60}, {})],
    "release_scope": [("DELETE", "/intents/{intent}/leases/{lease}", None, {})],
    "log_event": [("POST", "/intents/{intent}/events", {"event_type": "comment", "payload": {"text": "é"}}, {})],
    "record_cost": [("POST", "/intents/{intent}/costs", {"cost_type": "llm_call", "amount": 0.1, "unit": "USD"}, {})],
    "ask": [("POST", "/intents/{intent}/arbitrate", {"reason": "May I?", "options": [{"label": "yes"}], "blocking": True}, {})],
    "wait_for_decision": [("GET", "/arbitrations/{arbitration}?wait=0", None, {})],
    "add_file": [
        (
            "POST",
            "/intents/{intent}/attachments",
            {"filename": "a.txt", "content_base64": "eA==", "content_type": "text/plain"},
            {},
        )
    ],
    "events_since": [("GET", "/intents/{intent}/events?after=1&limit=20", None, {})],
}
ARGUMENTS: dict[str, Any] = {
    "find_work": {"parent_intent_id": "{intent}"},
    "take_work": {"intent_id": "{intent}", "version": 1},
    "get_brief": {"intent_id": "{intent}", "max_chars": 600},
    "get_intent": {"intent_id": "{intent}"},
    "create_intents": BATCH,
    "update_state": {"intent_id": "{intent}", "version": 1, "state": {"a": 1}},
    "set_status": {"intent_id": "{intent}", "version": 1, "status": "completed", "reason": "Done"},
    "lease_scope": {"intent_id": "{intent}", "scope": "file:src", "duration_seconds": 60},
    "release_scope": {"intent_id": "{intent}", "scope": "content"},
    "log_event": {"intent_id": "{intent}", "event_type": "comment", "payload": {"text": "é"}},
    "record_cost": {"intent_id": "{intent}", "cost_type": "llm_call", "amount": 0.1, "unit": "USD"},
    "ask": {"intent_id": "{intent}", "question": "May I?", "options": [{"label": "yes"}], "blocking": True},
    "wait_for_decision": {"arbitration_id": "{arbitration}", "seconds": 0},
    "add_file": {"intent_id": "{intent}", "filename": "a.txt", "text": "x"},
    "events_since": {"intent_id": "{intent}", "after": 1},
}


def filled(value: Any, world: dict[str, str]) -> Any:
    text = json.dumps(value)
    for name, id in world.items():
        text = text.replace(f"{{{name}}}", id)
    return json.loads(text)


def make_world(rest: Rest) -> dict[str, str]:
    intent = rest.intent()["id"]
    lease = rest.post(f"/intents/{intent}/leases", {"scope": "content"})["id"]
    arbitration = rest.post(f"/intents/{intent}/arbitrate", {"reason": "Is it so?"})["id"]
    return {"intent": intent, "lease": lease, "arbitration": arbitration}


def plain(value: Any, seen: dict[str, str] | None = None) -> Any:
    """Replace ids by the order in which they come, and times."""
    seen = {} if seen is None else seen
    text = ID.sub(lambda found: seen.setdefault(found[0], f"id {len(seen)}"), json.dumps(value))
    return json.loads(POSITION.sub(r"\1 0", TIME.sub("then", text)))


def trace(rest: Rest, world: dict[str, str]) -> Any:
    """Return all that the world shows afterwards: the intent, its log, leases, questions, costs, files, children."""
    parts = ["", "/events", "/leases", "/arbitrations", "/costs", "/attachments", "/children"]
    return plain([rest.get(f"/intents/{world['intent']}{part}") for part in parts])


def test_every_tool_is_compared():
    assert [*REQUESTS] == [*ARGUMENTS] == [*TOOLS]
    assert len(TOOLS) <= 16


@pytest.mark.parametrize("name", TOOLS)
async def test_same_effect_and_log(server, rest, wire, name):
    by_tool, by_request = make_world(rest), make_world(rest)
    assert trace(rest, by_tool) == trace(rest, by_request)

    async with connected(server.url, wire) as client:
        told = await call(client, name, **filled(ARGUMENTS[name], by_tool))
    answers = []
    for method, path, body, headers in REQUESTS[name]:
        [path] = filled([path], by_request)
        answers.append(rest.send(method, path, filled(body, by_request), **headers))

    assert [answer.status_code < 300 for answer in answers] == [True] * len(answers)
    assert "code" not in told, told
    assert trace(rest, by_tool) == trace(rest, by_request)
    if name in (
        "get_intent",
        "create_intents",
        "get_brief",
        "update_state",
        "set_status",
        "log_event",
        "record_cost",
        "add_file",
    ):
        assert plain(told) == plain(answers[-1].json())


REFUSED = {
    "find_work": ({"status": "new"}, "GET", "/intents?status=new&limit=20", None, {}),
    "take_work": ({"version": 7}, "POST", "/intents/{intent}/status", {"status": "active"}, {"If-Match": "7"}),
    "get_brief": ({"max_chars": 1}, "GET", "/intents/{intent}/brief?max_chars=1", None, {}),
    "get_intent": ({"intent_id": NOBODY}, "GET", f"/intents/{NOBODY}", None, {}),
    "create_intents": ({"intents": [{"title": ""}]}, "POST", "/intents/batch", {"intents": [{"title": ""}]}, {}),
    "update_state": ({"version": 3}, "POST", "/intents/{intent}/state", {"state": {"a": 1}}, {"If-Match": "3"}),
    "set_status": (
        {"status": "done", "reason": None},
        "POST",
        "/intents/{intent}/status",
        {"status": "done", "reason": None},
        {"If-Match": "1"},
    ),
    "lease_scope": ({"scope": "a..b"}, "POST", "/intents/{intent}/leases", {"scope": "a..b", "duration_seconds": 60}, {}),
    "release_scope": ({"intent_id": NOBODY}, "GET", f"/intents/{NOBODY}/leases", None, {}),
    "log_event": ({"event_type": "state_patched"}, "POST", "/intents/{intent}/events", {"event_type": "state_patched"}, {}),
    "record_cost": (
        {"amount": -1},
        "POST",
        "/intents/{intent}/costs",
        {"cost_type": "llm_call", "amount": -1, "unit": "USD"},
        {},
    ),
    "ask": (
        {"question": ""},
        "POST",
        "/intents/{intent}/arbitrate",
        {"reason": "", "options": [{"label": "yes"}], "blocking": True},
        {},
    ),
    "wait_for_decision": ({"arbitration_id": NOBODY}, "GET", f"/arbitrations/{NOBODY}", None, {}),
    "add_file": ({"filename": ""}, "POST", "/intents/{intent}/attachments", {"filename": "", "content_base64": "eA=="}, {}),
    "events_since": ({"limit": 0}, "GET", "/intents/{intent}/events?limit=0", None, {}),
}


@pytest.mark.parametrize("name", TOOLS)
async def test_same_refusal_and_nothing_written(server, rest, wire, name):
    changed, method, path, body, headers = REFUSED[name]
    world = make_world(rest)
    before = trace(rest, world)

    async with connected(server.url, wire) as client:
        told = await call(client, name, **{**filled(ARGUMENTS[name], world), **changed})
    [path] = filled([path], world)
    refused = rest.send(method, path, body, **headers)

    assert refused.status_code >= 400
    assert {**told, "request_id": ""} == {**refused.json(), "request_id": ""}
    assert trace(rest, world) == before


@pytest.mark.parametrize("name", [name for name, tool in TOOLS.items() if name not in ("find_work", "events_since")])
async def test_unknown_argument_is_refused_by_the_operation(server, rest, name):
    world = make_world(rest)

    async with connected(server.url) as client:
        told = await call(client, name, **filled(ARGUMENTS[name], world), colour="red")

    assert (told["code"], told["errors"][0]["field"]) == ("invalid", "colour")
