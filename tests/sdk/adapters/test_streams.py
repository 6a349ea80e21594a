"""With any stream of any provider, the caller sees exactly what they would see without the adapter; usage and events are as the table says."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from openintent.adapters import AdapterConfig

from .interfaces import INTERFACES
from .scripted_provider import ScriptedProvider
from .streams import INTERFACE_OF, ROWS

NAMES = {"chat": ["chat", "grok", "deepseek"]}
MARKS = dict.fromkeys(("grok", "deepseek"), pytest.mark.full)
CASES = [
    pytest.param(row, interface, id=f"{interface.name}-{row.name.replace(' ', '_')}", marks=MARKS.get(interface.name, ()))
    for row in ROWS
    for interface in INTERFACES
    if interface.name in NAMES.get(row.dialect, [row.dialect])
]

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.database("sqlite")]


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


def is_last(chunk):
    return bool(getattr(chunk, "choices", None) and chunk.choices[0].finish_reason)


def read(client_runner, interface, row, owner):
    """Return what the caller sees: each chunk as its class, members and text, and the error that ends the stream."""
    seen, stream = [], None
    try:
        stream = client_runner.wait(interface.stream(owner, model=interface.model, **row.arguments))
        while row.most is None or row.most < 0 or len(seen) < row.most:
            (chunk,) = client_runner.chunks(stream, most=1) or [None]
            if chunk is None:
                break
            seen.append((type(chunk), repr(chunk), chunk.model_dump(exclude_unset=True, warnings=False)))
            if row.most == -1 and is_last(chunk):
                break
    except Exception as error:
        seen.append((type(error), str(error)))
    return seen, stream


@pytest.mark.case("streams 1")
@pytest.mark.case("streams 3")
@pytest.mark.case("streams 6")
@pytest.mark.case("streams 39")
@pytest.mark.parametrize(("row", "interface"), CASES)
def test_a_stream_is_seen_as_without_the_adapter(row, interface, scripted, client_runner, server, intent, logged_events, api):
    bare = interface.connect(scripted.play(row.script), client_runner.is_async)
    wrapped = interface.connect(scripted.play(row.script), client_runner.is_async)
    client_runner.closing += [bare, wrapped]
    adapter = interface.adapter(wrapped, client_runner.openintent(server.url), intent.id, AdapterConfig())

    expected, _ = read(client_runner, interface, row, interface.owner(bare, client_runner.is_async))
    seen, stream = read(client_runner, interface, row, interface.owner(adapter, client_runner.is_async))
    del stream
    client_runner.end_generators()

    assert seen == expected
    events = logged_events(adapter)
    assert [kind for kind, _ in events] == [*row.events, *["tool_call_started"] * len(row.calls)]
    said = [payload for kind, payload in events if kind == "llm_request_completed"]
    assert [payload.get("response_content") for payload in said] == ([row.text] if said else [])
    called = [(payload["tool_name"], payload["arguments"]) for kind, payload in events if kind == "tool_call_started"]
    assert called == list(row.calls)
    costs = api.get_costs(intent.id)
    assert bool(costs) == (row.cost is not None)
    if costs and interface is INTERFACE_OF[row.dialect]:
        assert (sum(cost.amount for cost in costs), {cost.unit for cost in costs}) == (Decimal(row.cost[0]), {row.cost[1]})
        assert row.marks.items() <= costs[0].metadata.items()
