"""Five stories of approvals over three processes: whatever goes wrong, the effect is the one that was approved, and once (rules A-8 to A-16)."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import pytest

from tests.servers import Server
from tests.system.concurrent_clients import Answer, Http
from tests.system.test_permits import approve, ask, recorded

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]

PROCESSES = 3


class Agent:
    """An agent with a key of its own, which reaches another process with each request."""

    def __init__(self, name: str, key: str, clients: list[Http]) -> None:
        self.name, self.key, self.clients = name, key, clients

    @property
    def next(self) -> Http:
        """The client of the process whose turn it is."""
        self.clients.append(self.clients.pop(0))
        return self.clients[0]


@pytest.fixture
def agents(servers: list[Server], http: Http) -> Iterator[tuple[Agent, Agent]]:
    """Two agents, whose keys are bound to them."""
    with ExitStack() as stack:

        def agent(name: str) -> Agent:
            key = http.post("/keys", {"name": name, "role": "agent", "agent_id": name}).body["key"]
            return Agent(name, key, [stack.enter_context(Http(each, api_key=key)) for each in servers])

        yield agent(f"ada-{uuid4()}"), agent(f"eve-{uuid4()}")


@pytest.fixture
def refund() -> dict[str, Any]:
    """An act outside of the server."""
    params = {"amount": 120, "currency": "EUR"}
    return {"verb": "payments.refund", "target": "order-1042", "params": params, "effect_key": f"refund:{uuid4()}"}


@pytest.fixture
def gated(http: Http, agents: tuple[Agent, Agent]) -> Any:
    """An intent of which only operators may change the state or the status without a permit."""
    intent = agents[0].next.create()
    for verb in ("update_state", "set_status"):
        assert http.post("/gates", {"verb": verb, "intent_id": intent["id"]}).status == 201
    return intent


def permit_of(http: Http, agent: Agent, intent_id: str, action: dict[str, Any], **fields: Any) -> str:
    """The permit that the agent has asked for and a person has granted."""
    asked = ask(agent.next, intent_id, action, **fields)
    answer = approve(http, asked)
    assert answer.status == 201, answer
    [permit] = [each for each in permits(http, intent_id) if each["arbitration_id"] == asked["id"]]
    return str(permit["id"])


def permits(http: Http, intent_id: str) -> list[dict[str, Any]]:
    return http.get(f"/intents/{intent_id}/permits").body["permits"]  # type: ignore[no-any-return]


def spend(agent: Agent, permit: str, action: dict[str, Any], **headers: Any) -> Answer:
    return agent.next.post(f"/permits/{permit}/spend", {"action": action}, **headers)


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def send_and_lose_the_reply(server: Server, agent: Agent, path: str, body: Any, **headers: str) -> None:
    """Send a request, and cut the connection as soon as its reply begins."""
    content = orjson.dumps(body)
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    lines = {"Host": host, "X-API-Key": agent.key, "Content-Type": "application/json", "Content-Length": len(content), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(f"POST /api/v1{path} HTTP/1.1\r\n{head}\r\n".encode() + content)
        assert connection.recv(1)


@pytest.mark.rule("A-9")
def test_lost_reply_and_retry(http, servers, agents, refund, gated):
    ada, _ = agents
    outside = permit_of(http, ada, gated["id"], refund, bind_version=False)
    body = {"state": {"phase": "paid"}}
    inside = permit_of(http, ada, gated["id"], {"verb": "update_state", "target": gated["id"], "params": body})
    write = f"/intents/{gated['id']}/state"
    spending = {"Idempotency-Key": str(uuid4())}
    writing = {"Idempotency-Key": str(uuid4()), "X-Permit": inside, "If-Match": "1"}

    send_and_lose_the_reply(servers[0], ada, f"/permits/{outside}/spend", {"action": refund}, **spending)
    send_and_lose_the_reply(servers[1], ada, write, body, **writing)

    for _ in servers:
        again = spend(ada, outside, refund, key=spending["Idempotency-Key"])
        assert (again.status, again.body["status"]) == (200, "spent")
        again = ada.next.post(write, body, version=1, key=writing["Idempotency-Key"], permit=inside)
        assert (again.status, again.body["version"], again.body["state"]) == (200, 2, body["state"])
    log = recorded(http, gated["id"])
    assert (log.count("permit_spent"), log.count("state_patched")) == (2, 1)


@pytest.mark.rule("A-10")
def test_altered_amount(http, agents, refund, gated):
    ada, _ = agents
    outside = permit_of(http, ada, gated["id"], refund, bind_version=False)
    body = {"state": {"refund": {"amount": 120}}}
    inside = permit_of(http, ada, gated["id"], {"verb": "update_state", "target": gated["id"], "params": body})
    before = recorded(http, gated["id"])

    altered = spend(ada, outside, {**refund, "params": {**refund["params"], "amount": 1200}})
    written = ada.next.post(f"/intents/{gated['id']}/state", {"state": {"refund": {"amount": 1200}}}, version=1, permit=inside)

    assert code(altered) == code(written) == (403, "permit_mismatch")
    assert (altered.body["member"], written.body["member"]) == ("params.amount", "params.state.refund.amount")
    assert recorded(http, gated["id"]) == before
    assert {each["status"] for each in permits(http, gated["id"])} == {"live"}
    assert spend(ada, outside, refund).status == 200
    assert ada.next.post(f"/intents/{gated['id']}/state", body, version=1, permit=inside).status == 200


@pytest.mark.rule("A-16")
def test_two_agents_one_effect(http, agents, refund):
    ada, eve = agents
    first, second = (ask(each.next, each.next.create()["id"], refund) for each in agents)
    assert approve(http, first).status == 201

    refused = approve(http, second)

    assert code(refused) == (409, "effect_taken")
    [permit] = permits(http, first["intent_id"])
    assert code(spend(eve, permit["id"], refund)) == (403, "forbidden")
    assert spend(ada, permit["id"], refund).status == 200
    asked_again = eve.next.post(f"/intents/{second['intent_id']}/arbitrate", {"reason": "May I?", "action": refund})
    assert code(asked_again) == (409, "effect_taken")
    assert permits(http, second["intent_id"]) == []
    assert ada.next.post(f"/permits/{permit['id']}/outcome", {"outcome": "failed"}).status == 200
    assert approve(http, second).status == 201  # It did not happen: now the other one may.
    [permit] = permits(http, second["intent_id"])
    assert spend(eve, permit["id"], refund).status == 200


@pytest.mark.rule("A-9", "A-15")
def test_replay_after_success(http, servers, agents, refund, gated):
    ada, _ = agents
    outside = permit_of(http, ada, gated["id"], refund, bind_version=False)
    body = {"patches": [{"op": "append", "path": "paid", "value": 120}]}
    inside = permit_of(http, ada, gated["id"], {"verb": "update_state", "target": gated["id"], "params": body})
    assert spend(ada, outside, refund).status == 200
    assert ada.next.post(f"/permits/{outside}/outcome", {"outcome": "succeeded"}).status == 200
    assert ada.next.post(f"/intents/{gated['id']}/state", body, version=1, permit=inside).status == 200

    for _ in servers:
        assert code(spend(ada, outside, refund)) == (409, "permit_spent")
        assert code(ada.next.post(f"/intents/{gated['id']}/state", body, version=2, permit=inside)) == (409, "permit_spent")
        asked = ada.next.post(f"/intents/{gated['id']}/arbitrate", {"reason": "Once more?", "action": refund})
        assert code(asked) == (409, "effect_taken")

    assert http.intent(gated["id"])["state"] == {"paid": [120]}
    assert recorded(http, gated["id"]).count("permit_spent") == 2


@pytest.mark.rule("A-10", "A-12", "A-14")
def test_permit_wider_than_the_act(http, agents, refund, gated):
    ada, eve = agents
    url = f"/intents/{gated['id']}"
    wide = {**refund, "params": {**refund["params"], "tip": 5}}
    outside = permit_of(http, ada, gated["id"], wide, bind_version=False)
    body = {"state": {"phase": "paid", "closed": True}}
    inside = permit_of(http, ada, gated["id"], {"verb": "update_state", "target": gated["id"], "params": body})
    other = ada.next.create()
    before = recorded(http, gated["id"])

    acts = [refund, {**wide, "verb": "payments"}, {**wide, "target": "order"}, {**wide, "effect_key": None}]
    mismatches = [spend(ada, outside, each) for each in acts]
    mismatches += [
        ada.next.post(f"{url}/state", {"state": {"phase": "paid"}}, version=1, permit=inside),
        ada.next.post(f"/intents/{other['id']}/state", body, version=1, permit=inside),
        ada.next.post(f"{url}/status", {"status": "active"}, version=1, permit=inside),
    ]

    assert [code(each) for each in mismatches] == [(403, "permit_mismatch")] * len(mismatches)
    assert [each.body["member"] for each in mismatches] == [
        "params.tip", "verb", "target", "effect_key", "params.state.closed", "intent_id", "verb",
    ]  # fmt: skip
    assert code(eve.next.post(f"{url}/state", body, version=1, permit=inside)) == (403, "forbidden")
    assert recorded(http, gated["id"]) == before
    assert {each["status"] for each in permits(http, gated["id"])} == {"live"}
