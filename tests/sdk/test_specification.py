"""The specification's examples, run as they stand against a live server, with what they must have done.

Each runs twice: as written, and with an `await` put before every call of the client. An example ends with what only works
once others have done their part: they do it `meanwhile`, before its last statement.
"""

import ast
import asyncio
import json
import textwrap
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from queue import SimpleQueue
from types import SimpleNamespace

import httpx2
import pytest
import requests
from openintent import EventType, IntentStatus, OpenIntentClient, webhooks
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Response

from .specification_examples import CONNECTION, GUIDES, SPECIFICATION, Awaits, example, play_as_written, play_awaited

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


KEY = {"X-API-Key": CONNECTION["api_key"]}


@pytest.fixture(autouse=True)
def routed(server, monkeypatch):
    """Let the specification's address and key reach the live server, below all of our own code."""
    send, send_async = requests.Session.send, httpx2.AsyncClient.send

    def reroute(request):
        if request.headers.get("X-API-Key") == CONNECTION["api_key"]:
            request.headers["X-API-Key"] = "dev-user-key"
        return str(request.url).replace(CONNECTION["base_url"], server.url)

    def to_server(session, request, **kwargs):
        request.url = reroute(request)
        return send(session, request, **kwargs)

    async def to_server_async(session, request, **kwargs):
        request.url = httpx2.URL(reroute(request))
        request.headers["Host"] = request.url.netloc.decode()
        return await send_async(session, request, **kwargs)

    monkeypatch.setattr(requests.Session, "send", to_server)
    monkeypatch.setattr(httpx2.AsyncClient, "send", to_server_async)


@pytest.fixture
def api(routed):
    """A client of our own, to prepare and to look."""
    with OpenIntentClient(**CONNECTION) as client:
        yield client


@pytest.fixture(params=["as written", "awaited"])
def play(request):
    """Run the example under a heading, with `names` around it; return all names after it.

    `instead` are addresses of others that the example names, and what stands for them here.
    """

    def play(heading, meanwhile=lambda names: None, instead=None, page=SPECIFICATION, **names):
        names["meanwhile"] = lambda: meanwhile(names)
        code = example(heading, page)
        for address, real in (instead or {}).items():
            assert address in code
            code = code.replace(address, real)
        if request.param == "awaited":
            asyncio.run(play_awaited(code, names))
        else:
            play_as_written(code, names)
        return SimpleNamespace(**{name: names[name] for name in names if name != "__builtins__"})

    return play


@pytest.fixture
def intent(api):
    return api.create_intent(title="An intent for the examples")


def logged(api, intent):
    return [(event.event_type, event.payload) for event in api.get_events(intent.id)[1:]]


def ids(intents):
    return {intent.id for intent in intents}


def test_async_usage(api):
    exec(compile(example("Async Usage"), "specification.md", "exec"), {"__name__": "__main__"})

    (intent,) = [i for i in api.list_intents() if i.title == "Async research task"]
    assert intent.description == "Process data asynchronously"
    assert intent.state == {"status": "processing"}
    assert intent.created_by == "my-agent"
    assert [event.event_type for event in api.get_events(intent.id)] == [
        EventType.INTENT_CREATED,
        EventType.STATE_PATCHED,
    ]


def test_intents(play):
    after = play("Intents (RFC-0001)")

    assert after.intent.title == "Analyze customer feedback"
    assert after.intent.status is IntentStatus.DRAFT
    assert after.intent.constraints == {
        "max_cost": 50.0,
        "deadline": "2024-01-15",
        "quality_threshold": 0.95,
    }
    assert after.intent in after.intents


def test_intent_graphs(play, api):
    after = play("Intent Graphs (RFC-0002)")

    parts = [after.diagnose, after.communicate, after.hotfix, after.deploy]
    assert ids(after.children) == ids(parts)
    assert [ancestor.id for ancestor in after.ancestors] == [after.parent.id]
    assert ids(after.dependencies) == {after.diagnose.id, after.hotfix.id}
    assert ids(after.dependents) == {after.hotfix.id, after.deploy.id}
    assert [part.status for part in parts] == ["draft", "draft", "blocked", "blocked"]
    assert [part.agents[0].agent_id for part in parts] == [
        "agent:diagnostics",
        "agent:comms",
        "agent:dev",
        "agent:deploy",
    ]

    api.set_status(after.diagnose.id, after.diagnose.version, "completed")

    assert api.get_intent(after.hotfix.id).status is IntentStatus.PENDING
    assert api.get_intent(after.deploy.id).status is IntentStatus.BLOCKED


def test_events(play, intent, api, capsys):
    after = play("Events", intent=intent)

    comment = api.get_events(intent.id)[-1]
    assert [event.event_type for event in after.events] == ["intent_created", "comment"]
    assert (comment.event_type, comment.actor) == (EventType.COMMENT, "my-agent")
    assert comment.payload == {"message": "Starting analysis phase"}
    assert f"comment by my-agent at {comment.created_at}" in capsys.readouterr().out


def test_quick_start(play, api):
    intent = play("Quick Start: Client Usage").intent

    assert api.get_intent(intent.id).status is IntentStatus.COMPLETED
    assert api.get_intent(intent.id).state == {"progress": 0.5, "current_phase": "analysis"}
    assert [event.event_type for event in api.get_events(intent.id)] == [
        "intent_created",
        "state_patched",
        "lease_acquired",
        "lease_released",
        "status_changed",
    ]


@pytest.mark.rule("K-5")
def test_agent_leasing(play, intent, api):
    after = play("Agent Leasing (RFC-0003)", intent=intent)

    assert after.lease.scope == "content.draft"
    assert after.renewed.id == after.lease.id
    assert [lease.id for lease in after.leases] == [after.lease.id]
    assert api.get_intent(intent.id).state == {"draft_content": "..."}
    assert "lease_released" not in [kind for kind, _ in logged(api, intent)]


def test_arbitration_and_governance(play, intent, api):
    after = play("Arbitration & Governance (RFC-0004)", intent=intent)

    assert (after.arbitration.status, after.arbitration.requester_id) == ("pending", "my-agent")
    assert (after.decision.decision, after.decision.arbitration_id) == ("proceed_with_option_a", after.arbitration.id)
    assert after.decision.rationale == "Option A better aligns with business objectives"
    assert api.get_arbitration(after.arbitration.id).status == "resolved"


@pytest.mark.rule("T-1")
def test_attachments(play, intent, api, tmp_path, monkeypatch):
    (tmp_path / "analysis.pdf").write_bytes(b"%PDF-1.7 what there is")
    monkeypatch.chdir(tmp_path)

    after = play("Attachments (RFC-0005)", intent=intent)

    assert (after.attachment.filename, after.attachment.size) == ("quarterly_analysis.pdf", 22)
    assert [each.id for each in after.attachments] == [after.attachment.id]
    assert api.get_attachments(intent.id) == []


@pytest.mark.rule("K-1", "W-1")
def test_subscriptions(play, intent, api):
    """`dashboard.example.com` is a receiver on this machine, which is what dev mode lets webhooks reach."""
    heard = SimpleQueue()

    def receive(request):
        heard.put((request.get_data(), request.headers))
        return Response(status=204)

    def delivered(names):
        assert [each.id for each in names["subscriptions"]] == [names["subscription"].id]
        api.log_event(intent.id, "comment")
        patched = api.update_state(intent.id, intent.version, {"a": 1})
        api.set_status(intent.id, patched.version, "completed")
        names["webhooks"] = [webhooks.verify(*heard.get(timeout=30), names["subscription"].secret) for _ in range(2)]

    with HTTPServer(threaded=True) as dashboard:
        dashboard.expect_request("/webhooks/intent", method="POST").respond_with_handler(receive)
        here = {"https://dashboard.example.com": dashboard.url_for("")}
        after = play("Subscriptions (RFC-0006)", meanwhile=delivered, instead=here, intent=intent)

        assert {webhook.subscription_id for webhook in after.webhooks} == {after.subscription.id}
        events = {webhook.event.sequence: webhook.event for webhook in after.webhooks}
        assert [events[each].event_type for each in sorted(events)] == ["state_patched", "status_changed"]
        assert api.get_subscriptions(intent.id) == []
        assert [kind for kind, _ in logged(api, intent)] == [
            "subscription_created",
            "comment",
            "state_patched",
            "status_changed",
            "subscription_removed",
        ]
        assert heard.empty()


def test_receiving_webhooks(play, api, intent, capsys):
    api.log_event(intent.id, "comment", {"text": "Hello"})
    event = requests.get(f"{CONNECTION['base_url']}/api/v1/intents/{intent.id}/events", headers=KEY, timeout=30).json()["events"][
        -1
    ]
    secret = "whsec_" + "c2VjcmV0" * 4
    signed = Webhook(secret)
    raw, now = json.dumps({"subscription_id": "1", "event": event}), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed.sign("msg_1", now, raw),
    }

    after = play("Receiving webhooks", page=GUIDES / "webhooks.md")
    after.receive(raw.encode(), headers, secret)

    assert capsys.readouterr().out == "msg_1 comment\n"
    with pytest.raises(webhooks.WebhookVerificationError):
        after.receive(raw.encode() + b" ", headers, secret)


@pytest.mark.rule("K-4")
def test_stream_follows_an_intent_from_its_first_event(play, api, intent, capsys):
    api.log_event(intent.id, "comment", {"text": "Hello"})

    after = play("Follow an intent", page=GUIDES / "streams.md", intent=intent)

    assert after.event.event_type == "status_changed"
    assert capsys.readouterr().out.splitlines() == ["intent_created 1", "comment None", "state_patched 2", "status_changed 3"]
    assert after.event.position == api.get_events(intent.id)[-1].position


@pytest.mark.rule("K-1", "C-1")
def test_cost_tracking(play, intent, capsys):
    after = play("Cost Tracking (RFC-0009)", intent=intent)

    assert after.total == after.summary["total"] == Decimal("0.05")
    assert (after.cost.provider, after.cost.model) == ("openai", "gpt-4")
    assert capsys.readouterr().out.startswith("Total: $0.05\nBy type: {'api_call': ")


@pytest.mark.rule("K-1")
def test_retry_policies(play, intent):
    after = play("Retry Policies (RFC-0010)", intent=intent)

    assert (after.policy.max_attempts, after.policy.backoff_multiplier) == (5, 2.0)
    assert after.policy.retryable_errors == ["timeout", "rate_limit", "temporary_failure"]
    assert [(failure.error_type, failure.attempt, failure.will_retry) for failure in after.failures] == [("rate_limit", 1, True)]


@pytest.mark.rule("P-2")
def test_intent_portfolios(play, api):
    def complete_members(names):
        assert [each.role for each in names["portfolio"].intents] == ["primary", "member"]
        for intent in names["portfolio"].intents:
            api.set_status(intent.id, intent.version, "completed")

    after = play("Intent Portfolios", meanwhile=complete_members)

    assert after.portfolio.aggregate_status.total == 2
    assert api.get_portfolio(after.portfolio.id).status == "completed"


def test_tool_call_logging(play, intent, api):
    after = play("Tool Call Logging", intent=intent)

    call = {"tool_name": "web_search", "tool_id": after.tool_call_id}
    news = {"arguments": {"query": "latest AI news"}, "provider": "openai", "model": "gpt-4"}
    failure = {"error": "Connection timeout", "duration_ms": 5000}
    assert logged(api, intent) == [
        ("tool_call_started", {**call, **news}),
        ("tool_call_completed", {**call, **news, "result": {"articles": ["..."]}, "duration_ms": 1500}),
        ("tool_call_failed", {**call, "arguments": {"query": "..."}, **failure}),
    ]


def test_llm_request_logging(play, intent, api):
    after = play("LLM Request Logging", intent=intent, uuid=uuid)

    request = {
        "request_id": after.request_id,
        "provider": "openai",
        "model": "gpt-4",
        "messages_count": 5,
    }
    (started, sent), (completed, received) = logged(api, intent)
    assert (started, completed) == ("llm_request_started", "llm_request_completed")
    assert sent == request | {
        "tools_available": ["web_search", "calculator"],
        "stream": False,
        "temperature": 0.7,
    }
    assert received == request | {
        "response_content": "Here is the analysis...",
        "finish_reason": "stop",
        "prompt_tokens": 500,
        "completion_tokens": 200,
        "total_tokens": 700,
        "duration_ms": 2500,
    }


def test_stream_coordination(play, intent, api):
    after = play("Stream Coordination", intent=intent, uuid=uuid, stream_response=["…"] * 25)

    chunk = {"stream_id": after.stream_id}
    stream = chunk | {"provider": "openai", "model": "gpt-4"}
    end = {"chunks_received": 100, "tokens_streamed": 1500}
    break_off = {"reason": "User interrupted", "chunks_received": 50, "tokens_streamed": 750}
    assert logged(api, intent) == [
        ("stream_started", stream),
        ("stream_chunk", chunk | {"chunk_index": 0}),
        ("stream_chunk", chunk | {"chunk_index": 10}),
        ("stream_chunk", chunk | {"chunk_index": 20}),
        ("stream_completed", stream | end),
        ("stream_cancelled", stream | break_off),
    ]


def test_error_handling(play, capsys):
    play("Error Handling")

    assert capsys.readouterr().out.startswith("Intent not found: ")


def test_input_validation(play, capsys):
    play("Input Validation")

    assert capsys.readouterr().out == "Invalid input: title cannot be empty\nField: title\n"


def test_the_awaited_examples_await_every_call_of_the_client():
    code = textwrap.dedent("""
        for child in client.get_children(client.get_intent(intent.id).id):
            print(child, other.get_intent(intent.id))
        with client.lease(intent.id, "a"), open("b"):
            client.get_leases(intent.id)
        with open("c"):
            client.get_leases(intent.id)
    """)

    awaited = ast.unparse(Awaits().visit(ast.parse(code)))

    assert "in await client.get_children((await client.get_intent(intent.id)).id):" in awaited
    assert "print(child, other.get_intent(intent.id))" in awaited
    assert "async with client.lease(intent.id, 'a'), open('b'):\n    await client.get_leases(intent.id)" in awaited
    assert "\nwith open('c'):\n    await client.get_leases(intent.id)" in awaited
