# pyright: strict
"""Clients used as any Python object is: mocks, subclasses, protocols, partials, pickles (protocol K-8).

`mypy --strict` and pyright in its strict mode pass on this file: `test_type_checkers.py` runs them.
"""

import asyncio
import copy
import inspect
import pickle
import pydoc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, assert_type
from unittest.mock import AsyncMock, create_autospec, patch

import pytest
from openintent import (
    Arbitration,
    AsyncOpenIntentClient,
    BlockedIntent,
    ConflictError,
    Event,
    EventType,
    Intent,
    IntentStatus,
    Lease,
    LeaseConflictError,
    OpenIntentClient,
    Subscription,
    Worker,
)

from .conftest import ScriptedServer
from .samples import EVENT, INTENT, LEASE

pytestmark = [pytest.mark.database("sqlite"), pytest.mark.rule("K-8")]

ID: str = INTENT["id"]
CLIENTS = [OpenIntentClient, AsyncOpenIntentClient]
METHODS = [name for name, _ in inspect.getmembers(OpenIntentClient, inspect.isfunction) if not name.startswith("_")]


class ReadsIntents(Protocol):
    """The part of a client that a program needs."""

    def get_intent(self, intent_id: str) -> Intent: ...


class WritesEvents(Protocol):
    async def log_event(self, intent_id: str, event_type: str) -> Event: ...


class Cached(OpenIntentClient):
    """A client that reads an intent once."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.intents: dict[str, Intent] = {}

    def get_intent(self, intent_id: object, *, effective: bool = False) -> Intent:
        key = str(intent_id)
        if key not in self.intents:
            self.intents[key] = super().get_intent(key, effective=effective)
        return self.intents[key]


class Loud(AsyncOpenIntentClient):
    async def log_event(self, *arguments: object, **named: object) -> Event:
        event = await super().log_event(ID, "comment", {"text": "!"})
        assert_type(event, Event)
        return event


@pytest.fixture
def client(script: ScriptedServer) -> Iterator[OpenIntentClient]:
    with OpenIntentClient(script.url) as client:
        yield client


def work(intent: Intent) -> dict[str, str]:
    return {"title": intent.title}


def title_of(reader: ReadsIntents) -> str:
    return reader.get_intent(ID).title


async def comment(writer: WritesEvents) -> str:
    return (await writer.log_event(ID, "comment")).event_type


def ordinary_calls(client: OpenIntentClient) -> None:
    assert_type(client.create_intent("x", state={"a": 1}), Intent)
    assert_type(client.list_intents(status=IntentStatus.DRAFT), list[Intent])
    assert_type(client.get_blocked("x"), list[BlockedIntent])
    assert_type(client.revoke_key("x"), None)
    assert_type(client.subscribe("x", callback_url="https://x", event_types=["comment", EventType.COMMENT]), Subscription)
    assert_type(client.wait_for_decision("x", "y", timeout=1.5), Arbitration)
    with client.lease("x", "draft", wait=1) as lease:
        assert_type(lease, Lease)
    with client.stream(intent_id="x", event_types=[EventType.COMMENT]) as stream:
        for event in stream:
            assert_type(event, Event)


async def ordinary_awaits(client: AsyncOpenIntentClient) -> None:
    assert_type(await client.create_intent("x", state={"a": 1}), Intent)
    assert_type(await client.wait_for_decision("x", "y"), Arbitration)
    assert_type(await asyncio.gather(client.get_intent("x"), client.get_events("x")), tuple[Intent, list[Event]])
    async with client.lease("x", "draft") as lease:
        assert_type(lease, Lease)
    async with client.stream(agent_id="x") as stream:
        async for event in stream:
            assert_type(event, Event)


def test_autospec_of_both_clients_refuses_wrong_calls() -> None:
    for kind in CLIENTS:
        mock = create_autospec(kind, instance=True, spec_set=True)
        with pytest.raises(TypeError, match="titel"):
            mock.create_intent("x", titel="x")
        with pytest.raises(AttributeError):
            mock.create_intents_soon()


def test_autospec_answers_for_the_client() -> None:
    mock = create_autospec(OpenIntentClient, instance=True)
    mock.get_intent.return_value = Intent.from_json(INTENT)

    assert title_of(mock) == INTENT["title"]
    mock.get_intent.assert_called_once_with(ID)


def test_async_mock_is_awaited_where_the_client_is() -> None:
    mock = AsyncMock(spec=AsyncOpenIntentClient)
    mock.log_event.return_value = Event.from_json(EVENT)

    assert asyncio.run(comment(mock)) == EVENT["event_type"]
    assert not inspect.iscoroutinefunction(mock.lease)


def test_a_method_can_be_patched(client: OpenIntentClient) -> None:
    with patch.object(OpenIntentClient, "get_intent", autospec=True, return_value=Intent.from_json(INTENT)) as get_intent:
        assert title_of(client) == INTENT["title"]

    get_intent.assert_called_once_with(client, ID)


@pytest.mark.case("console L2")
@pytest.mark.parametrize("name", METHODS)
def test_methods_are_functions_with_their_own_signature(name: str) -> None:
    one, other = (vars(cls)[name] for kind in CLIENTS for cls in kind.__mro__ if name in vars(cls))
    waits = name not in {"lease", "permit", "stream"}

    assert inspect.isfunction(one)
    assert inspect.isfunction(other)
    assert (inspect.iscoroutinefunction(one), inspect.iscoroutinefunction(other)) == (False, waits)
    assert inspect.signature(one).parameters == inspect.signature(other).parameters
    assert "args" not in inspect.signature(one).parameters
    assert f"{one.__name__}(self" in pydoc.plain(pydoc.render_doc(one))


def test_methods_are_called_unbound_and_mapped(client: OpenIntentClient, script: ScriptedServer) -> None:
    script.respond(*[INTENT] * 5)

    found = [OpenIntentClient.get_intent(client, ID), *map(client.get_intent, [ID, ID])]
    with ThreadPoolExecutor(2) as threads:
        found += threads.map(client.get_intent, [ID, ID])

    assert {each.id for each in found} == {ID}


@pytest.mark.case("console L3")
def test_the_repr_of_everything_public_fits_a_line() -> None:
    state = {f"key {n}": ["x" * 1_000] * 100 for n in range(100)}
    intent = Intent.from_json({**INTENT, "title": "y" * 500, "state": state, "constraints": state})
    with OpenIntentClient("http://x") as client:
        shown = [intent, Event.from_json({**EVENT, "payload": state}), client, client.stream(), ConflictError("z" * 10_000)]
        shown += [client.lease(ID, "draft"), client.permit(ID, "deploy", "shop", reason="…"), Worker("ada", work)]

    assert [repr(each) for each in shown if len(repr(each)) > 165 or "\n" in repr(each) or " object at 0x" in repr(each)] == []
    assert repr(intent).startswith(f"Intent(id={ID!r}, title='yyy")


@pytest.mark.case("console L4")
def test_a_client_without_a_url_takes_its_connection_from_the_environment(
    script: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.respond(INTENT, INTENT)
    monkeypatch.setenv("OPENINTENT_URL", script.url)
    monkeypatch.setenv("OPENINTENT_API_KEY", "secret")
    monkeypatch.setenv("OPENINTENT_AGENT_ID", "ada")

    with OpenIntentClient() as client, OpenIntentClient(script.url) as other:  # Whose key is another one, if it has any.
        assert [title_of(client), title_of(other)] == [INTENT["title"]] * 2

    assert [seen.headers.get("X-Api-Key") for seen in script.seen] == ["secret", None]
    assert [each.agent_id for each in (client, other, OpenIntentClient(agent_id="bob"))] == ["ada", None, "bob"]
    assert repr(AsyncOpenIntentClient()) == f"AsyncOpenIntentClient({script.url!r}, agent_id='ada')"


def test_a_partial_is_a_function_of_the_rest(client: OpenIntentClient, script: ScriptedServer) -> None:
    script.respond(EVENT)
    log: Callable[[str], Event] = partial(client.log_event, ID)

    assert_type(log("comment"), Event)
    assert script.seen[0].body == {"event_type": "comment"}


def test_subclasses_call_the_method_that_they_override(script: ScriptedServer) -> None:
    script.respond(INTENT, EVENT)

    async def shout() -> Event:
        async with Loud(script.url) as client:
            return await client.log_event()

    with Cached(script.url) as client:
        assert [title_of(client), title_of(client)] == [INTENT["title"]] * 2
    assert asyncio.run(shout()).id == EVENT["id"]
    assert [seen.method for seen in script.seen] == ["GET", "POST"]


def test_clients_fit_a_protocol(client: OpenIntentClient, script: ScriptedServer) -> None:
    script.respond(INTENT, EVENT)

    async def write() -> str:
        async with AsyncOpenIntentClient(script.url) as writer:
            return await comment(writer)

    assert title_of(client) == INTENT["title"]
    assert asyncio.run(write()) == EVENT["event_type"]


def test_results_and_errors_are_pickled_and_copied(client: OpenIntentClient, script: ScriptedServer) -> None:
    problem = {"code": "version_conflict", "detail": "Read again.", "current_version": 3}
    script.respond(INTENT, EVENT, LEASE, (409, problem, {}))
    results = [client.get_intent(ID), client.log_event(ID, "comment"), client.acquire_lease(ID, "draft")]
    with pytest.raises(ConflictError) as caught:
        client.set_status(ID, 1, "active")

    assert pickle.loads(pickle.dumps(results)) == results
    assert copy.deepcopy(results) == results
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.current_version) == (ConflictError, "Read again.", 3)
    assert not issubclass(LeaseConflictError, ConflictError)
