"""Tasks extension of MCP: a question is a task for a client that declares it (rules M-2, M-4, M-5)."""

import pytest

from tests.doors.conftest import post

pytestmark = pytest.mark.rule("M-2", "M-5")

TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
WIRE = "2026-07-28"


@pytest.fixture
def send(server):
    """`send(method, params)`: the response of the wire that has the extension."""

    def response(method, params, *, capabilities=TASKS, wire=WIRE, agent="ada"):
        meta = {
            "io.modelcontextprotocol/protocolVersion": wire,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        headers = {"MCP_Protocol_Version": wire, "Mcp_Method": method, "X_Agent_ID": agent}
        if "name" in params:
            headers["Mcp_Name"] = params["name"]
        return post(server.url, message, **headers).json()

    return response


@pytest.fixture
def ask(send, rest):
    def asked(**options):
        arguments = {"intent_id": rest.intent()["id"], "question": "Publish?"}
        return send("tools/call", {"name": "ask", "arguments": arguments}, **options)["result"]

    return asked


def decide(rest, task, decision):
    asked = rest.get(f"/arbitrations/{task['taskId']}")
    rest.post(f"/intents/{asked['intent_id']}/decisions", {"decision": decision, "arbitration_id": asked["id"]})


def test_question_is_a_task_whose_id_is_the_arbitrations(send, ask, rest):
    task = ask()

    assert (task["resultType"], task["status"], task["ttlMs"]) == ("task", "working", None)
    assert f"/admin/governance/arbitration/{task['taskId']}/change/" in task["statusMessage"]
    working = send("tasks/get", {"taskId": task["taskId"]})["result"]
    assert (working["resultType"], working["status"]) == ("complete", "working")
    assert "result" not in working

    decide(rest, task, "yes")

    done = send("tasks/get", {"taskId": task["taskId"]})["result"]
    assert done["status"] == "completed"
    assert done["result"]["structuredContent"]["decision"]["decision"] == "yes"
    assert done["lastUpdatedAt"] > done["createdAt"]


def test_client_that_declares_nothing_gets_the_answer_of_the_tool(ask, send):
    result = ask(capabilities={})

    assert result["resultType"] == "complete"
    refused = send("tasks/get", {"taskId": result["structuredContent"]["arbitration_id"]}, capabilities={})
    assert refused["error"]["code"] == -32021
    assert refused["error"]["data"]["requiredCapabilities"] == TASKS


def test_refused_question_is_no_task(send):
    arguments = {"intent_id": "01a22a56-0000-7000-8000-000000000000", "question": "Publish?"}
    result = send("tools/call", {"name": "ask", "arguments": arguments})["result"]

    assert result["isError"]
    assert result["resultType"] == "complete"


def test_input_of_a_client_decides_nothing(send, ask, rest):
    task = ask()
    forged = {"a": {"action": "accept", "content": {"decision": "yes"}}}

    assert send("tasks/update", {"taskId": task["taskId"], "inputResponses": forged})["result"]["resultType"] == "complete"

    assert rest.get(f"/arbitrations/{task['taskId']}")["status"] == "pending"


def test_cancelled_task_is_a_withdrawn_question(send, ask, rest):
    task = ask()

    assert "error" not in send("tasks/cancel", {"taskId": task["taskId"]})

    assert send("tasks/get", {"taskId": task["taskId"]})["result"]["status"] == "cancelled"
    assert rest.get(f"/arbitrations/{task['taskId']}")["status"] == "withdrawn"


def test_cancelling_a_decided_task_changes_nothing(send, ask, rest):
    task = ask()
    decide(rest, task, "yes")

    assert "error" not in send("tasks/cancel", {"taskId": task["taskId"]})
    assert send("tasks/get", {"taskId": task["taskId"]})["result"]["status"] == "completed"


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("params", [{}, {"taskId": 1}, {"taskId": "x"}, {"taskId": "../intents"}, {"taskId": "x" * 300}])
def test_unknown_task_is_refused(send, method, params):
    assert send(method, params)["error"]["code"] == -32602


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"])
def test_older_wire_has_no_tasks(server, method):
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"taskId": "x"}}

    assert post(server.url, message, MCP_Protocol_Version="2025-11-25").json()["error"]["code"] == -32601
