"""Governance in the SDK, both clients against the live server."""

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from threading import Thread, Timer

import pytest
from openintent import (
    Arbitration,
    ArbitrationStatus,
    AsyncOpenIntentClient,
    ConflictError,
    InputValidationError,
    OpenIntentClient,
    PermissionDeniedError,
    RateLimitError,
)

from tests.system.concurrent_clients import until


class Waiting:
    """An asynchronous client whose methods wait."""

    def __init__(self, client, runner):
        self._client, self._runner = client, runner

    def __getattr__(self, name):
        value = getattr(self._client, name)
        return (lambda *a, **k: self._runner.run(value(*a, **k))) if inspect.iscoroutinefunction(value) else value


@pytest.fixture(params=["sync", "async"])
def connect(request, server):
    with asyncio.Runner() as runner:
        made = []

        def connect(key="dev-user-key", agent: str | None = "ada", **more):
            if request.param == "sync":
                made.append(OpenIntentClient(server.url, key, agent, **more))
            else:
                made.append(Waiting(AsyncOpenIntentClient(server.url, key, agent, **more), runner))
            return made[-1]

        yield connect
        for client in made:
            client.close()


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def intent(client):
    return client.create_intent(title="Book flights")


def test_sdk_requests_decides_and_reads_an_arbitration(client, intent):
    later = datetime.now(UTC) + timedelta(hours=1)
    arbitration = client.request_arbitration(
        intent.id,
        "Which?",
        context={"cost": 5},
        options=["a", {"label": "b", "rationale": "fast"}],
        blocking=True,
        expires_at=later,
    )
    assert (arbitration.status, arbitration.expires_at, arbitration.blocking) == (ArbitrationStatus.PENDING, later, True)
    assert [(option.label, option.rationale) for option in arbitration.options] == [("a", None), ("b", "fast")]
    assert client.get_intent(intent.id).status == "blocked"
    assert client.get_arbitrations(intent.id, status="pending") == [arbitration]
    assert arbitration in client.list_arbitrations(status=ArbitrationStatus.PENDING)

    decision = client.record_decision(intent.id, "b", arbitration_id=arbitration.id, evidence=[{"source": "report"}])

    now = client.get_arbitration(arbitration.id)
    assert (now.status, now.decision) == (ArbitrationStatus.RESOLVED, decision)
    assert decision.evidence[0].source == "report"
    with pytest.raises(ConflictError) as refused:
        client.record_decision(intent.id, "a", arbitration_id=arbitration.id)
    assert refused.value.code == "arbitration_resolved"


def test_sdk_withdraws_a_request(client, intent):
    arbitration = client.request_arbitration(intent.id, "Which?")

    assert client.withdraw_arbitration(arbitration.id, "settled").status == ArbitrationStatus.WITHDRAWN
    assert client.withdraw_arbitration(arbitration.id).status == ArbitrationStatus.WITHDRAWN


def test_sdk_delegate_decides_until_the_delegation_ends(client, connect, intent):
    operator = connect("dev-user-key")
    made = operator.create_key("bob", agent_id=f"bob-of-the-sdk-{intent.id}")
    name, bob = str(made.agent_id), connect(made.key, None)
    with pytest.raises(PermissionDeniedError):
        bob.record_decision(intent.id, "a")

    delegation = client.create_delegation(name, intents=intent.id, actions=["decide"], constraints={"max": 1})

    assert bob.record_decision(intent.id, "a").decided_by == name
    assert delegation.scope.intents == [intent.id]
    assert delegation in client.list_delegations(delegate=name, delegator="ada")
    client.revoke_delegation(delegation.id)
    client.revoke_delegation(delegation.id)
    with pytest.raises(PermissionDeniedError):
        bob.record_decision(intent.id, "a")


@pytest.mark.rule("A-6")
def test_sdk_wait_may_exceed_the_client_timeout(connect, client, intent, server):
    impatient = connect(timeout=0.5, max_tries=1)
    arbitration = client.request_arbitration(intent.id, "Which?")

    with OpenIntentClient(server.url, "dev-user-key", "judy") as judy:
        timer = Timer(1.5, judy.record_decision, [intent.id, "a"])
        timer.start()
        told = impatient.get_arbitration(arbitration.id, wait=30)
        timer.join()

    assert told.decision.decision == "a"
    assert isinstance(told, Arbitration)


@pytest.mark.rule("H-1")
@pytest.mark.parametrize("method", ["ask", "request_input"])
def test_asked_people_answer(client, intent, server, method):
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}

    def answer():
        with OpenIntentClient(server.url, "dev-user-key", "judy") as judy:
            for wanted in ({"answer": {"amount": 5}}, {"decision": "later"}):
                [waiting] = until(lambda: judy.get_arbitrations(intent.id, status="pending"), "question")
                judy.record_decision(intent.id, arbitration_id=waiting.id, **wanted)

    thread = Thread(target=answer)
    thread.start()
    ask = getattr(client, method)
    typed = ask(intent.id, "How much?", schema=schema, urgency="high", timeout=30)
    plain = ask(intent.id, "When?", timeout=30)
    thread.join()

    assert (typed, plain) == ({"amount": 5}, "later")


@pytest.mark.rule("H-9")
def test_sdk_sends_a_question_back_and_answers_it(connect, intent):
    client, operator = connect(key="agent-research-key"), connect(agent=None)
    asked = client.request_arbitration(intent.id, "Which?")

    assert operator.assign_arbitration(asked.id, None).assignee is None
    assert asked.id not in [each.id for each in operator.list_arbitrations(assignee="user:grace")]
    [entry] = operator.request_information(asked.id, "Since when?").information
    assert (entry.question, entry.answer) == ("Since when?", None)
    with pytest.raises(ConflictError):
        operator.request_information(asked.id, "Where?")
    [entry] = client.provide_information(asked.id, "Since noon").information

    assert (entry.answer, entry.answered_by, entry.answered_at is None) == ("Since noon", "ada", False)
    assert client.get_arbitration(asked.id).status == ArbitrationStatus.PENDING


@pytest.mark.rule("H-2")
def test_sdk_sends_reminders(connect, intent):
    client = connect(max_tries=1)
    asked = client.request_arbitration(intent.id, "Which?")

    assert client.remind_arbitration(asked.id).id == asked.id
    with pytest.raises(RateLimitError):
        client.remind_arbitration(asked.id)


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda client: client.request_arbitration("x", ""), "reason"),
        (lambda client: client.request_arbitration("x", "y", options=["a", {"label": "a"}]), "options"),
        (lambda client: client.request_arbitration("x", "y", options=[5]), "options[0]"),
        (lambda client: client.request_arbitration("x", "y", context=[]), "context"),
        (lambda client: client.request_arbitration("x", "y", expires_at=datetime(2999, 1, 1)), "expires_at"),
        (lambda client: client.record_decision("x", " "), "decision"),
        (lambda client: client.record_decision("x", answer=5), "answer"),
        (lambda client: client.request_arbitration("x", "y", response_schema=5), "response_schema"),
        (lambda client: client.request_arbitration("x", "y", audience=["grace"]), "audience[0]"),
        (lambda client: client.request_arbitration("x", "y", urgency="now"), "urgency"),
        (lambda client: client.request_arbitration("x", "y", remind_after_seconds=[0]), "remind_after_seconds[0]"),
        (lambda client: client.request_arbitration("x", "y", escalation=[{"to": "user:a"}]), "escalation[0].after_seconds"),
        (lambda client: client.get_arbitration("x", wait=61), "wait"),
        (lambda client: client.create_delegation(""), "delegate"),
    ],
)
def test_sdk_does_not_send_invalid_values(client, ask, field):
    with pytest.raises(InputValidationError) as refused:
        ask(client)

    assert refused.value.field == field
