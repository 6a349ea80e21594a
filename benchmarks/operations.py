"""Measured operations: for each, one step of a client that repeats it."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import count, cycle
from typing import Any, Protocol

import orjson

STATE = {"phase": "collect", "progress": 40, "budget": {"limit": 1200, "spent": 310.5}, "tags": ["q3", "research"]}
INTENT = {
    "title": "Summarise the interviews of the third quarter",
    "description": "Every interview gets three sentences; contradictions are listed apart.",
    "state": STATE,
    "constraints": {"rules": ["cite the source of each sentence"]},
}
EVENT = {
    "event_type": "tool_call_completed",
    "payload": {"tool": "search", "query": "interviews 2026 Q3", "hits": 12, "duration_ms": 184},
    "trace_id": "trace-5f1c",
}
COST = {
    "cost_type": "api_call",
    "amount": 0.0315,
    "unit": "USD",
    "provider": "openai",
    "metadata": {"model": "gpt-4", "tokens": 1500},
}
EVENTS_IN_BATCH = 100
LEASED_UPDATE = "update state under a lease"


class Http(Protocol):
    """Sends a request below /api and answers the body of its answer. A refusal is an error."""

    async def send(
        self, method: str, path: str, body: bytes = b"", version: int | None = None, token: int | None = None
    ) -> bytes: ...


Step = Callable[[], Awaitable[Any]]
Operation = Callable[[Http, Sequence[str]], Awaitable[Step]]
"""Makes the step of one client, which has these intents to itself."""


async def empty_view(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", "/bench/empty")


async def create_intent(http: Http, mine: Sequence[str]) -> Step:
    body = orjson.dumps(INTENT)
    return lambda: http.send("POST", "/v1/intents", body)


async def get_intent(http: Http, mine: Sequence[str]) -> Step:
    turn = cycle(mine)
    return lambda: http.send("GET", f"/v1/intents/{next(turn)}")


async def list_events(http: Http, mine: Sequence[str]) -> Step:
    turn = cycle(mine)
    return lambda: http.send("GET", f"/v1/intents/{next(turn)}/events?limit=100")


async def append_event(http: Http, mine: Sequence[str]) -> Step:
    turn, body = cycle(mine), orjson.dumps(EVENT)
    return lambda: http.send("POST", f"/v1/intents/{next(turn)}/events", body)


async def append_batch(http: Http, mine: Sequence[str]) -> Step:
    turn, body = cycle(mine), orjson.dumps({"events": [EVENT] * EVENTS_IN_BATCH})
    return lambda: http.send("POST", f"/v1/intents/{next(turn)}/events/batch", body)


async def record_cost(http: Http, mine: Sequence[str]) -> Step:
    turn, body = cycle(mine), orjson.dumps(COST)
    return lambda: http.send("POST", f"/v1/intents/{next(turn)}/costs", body)


async def lease_and_release(http: Http, mine: Sequence[str]) -> Step:
    """On an intent of its own: those that are filled in may be closed, and give no leases."""
    intent = orjson.loads(await http.send("POST", "/v1/intents", orjson.dumps(INTENT)))["id"]
    leases, body = f"/v1/intents/{intent}/leases", orjson.dumps({"scope": "content.draft", "duration_seconds": 60})

    async def step() -> None:
        lease = orjson.loads(await http.send("POST", leases, body))
        await http.send("DELETE", f"{leases}/{lease['id']}")

    return step


async def update_state(http: Http, mine: Sequence[str]) -> Step:
    turn = cycle(mine)
    versions = {pk: orjson.loads(await http.send("GET", f"/v1/intents/{pk}"))["version"] for pk in mine}

    async def step() -> None:
        pk = next(turn)
        await http.send("POST", f"/v1/intents/{pk}/state", _progress(versions[pk]), versions[pk])
        versions[pk] += 1

    return step


async def update_leased_state(http: Http, mine: Sequence[str]) -> Step:
    """By the holder of a lease, with its fencing token, on an intent of its own."""
    intent = orjson.loads(await http.send("POST", "/v1/intents", orjson.dumps(INTENT)))["id"]
    asked = orjson.dumps({"scope": "progress", "duration_seconds": 86_400})
    token = orjson.loads(await http.send("POST", f"/v1/intents/{intent}/leases", asked))["fencing_token"]
    versions = count(1)

    async def step() -> None:
        version = next(versions)
        await http.send("POST", f"/v1/intents/{intent}/state", _progress(version), version, token)

    return step


def _progress(value: int) -> bytes:
    return orjson.dumps({"patches": [{"op": "set", "path": "progress", "value": value % 100}]})


async def create_child(http: Http, mine: Sequence[str]) -> Step:
    parent = orjson.loads(await http.send("POST", "/v1/intents", orjson.dumps(INTENT)))["id"]
    children = f"/v1/intents/{parent}/children"
    dependency = orjson.loads(await http.send("POST", children, orjson.dumps(INTENT)))["id"]
    body = orjson.dumps({**INTENT, "depends_on": [dependency]})
    return lambda: http.send("POST", children, body)


async def list_intents(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", "/v1/intents")


async def list_intents_by_status(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", "/v1/intents?status=active")


async def list_all_events(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", "/v1/events")


async def read_graph(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", f"/v1/intents/{mine[0]}/graph")


async def read_ready(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", f"/v1/intents/{mine[0]}/ready?limit=1000")


async def read_descendants(http: Http, mine: Sequence[str]) -> Step:
    first = f"/v1/intents/{mine[0]}/descendants?limit=1000"

    async def step() -> None:
        page = orjson.loads(await http.send("GET", first))
        while page["next"]:
            page = orjson.loads(await http.send("GET", f"{first}&cursor={page['next']}"))

    return step


async def read_cost_summary(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", f"/v1/intents/{mine[0]}/costs/summary")


async def read_portfolio(http: Http, mine: Sequence[str]) -> Step:
    return lambda: http.send("GET", f"/v1/portfolios/{mine[0]}")


EMPTY_VIEW = "empty view"
UNIT = "empty view without fast paths"
"""What the others are compared with: what Django, DRF and uvicorn cost on their usual ways (OPENINTENT_FAST_PATHS=0)."""

OPERATIONS: dict[str, Operation] = {
    UNIT: empty_view,
    EMPTY_VIEW: empty_view,
    "create intent": create_intent,
    "get intent": get_intent,
    "list of 100 events": list_events,
    "append event": append_event,
    "batch of 100 events": append_batch,
    "update state": update_state,
    LEASED_UPDATE: update_leased_state,
    "child with dependency": create_child,
    "acquire and release a lease": lease_and_release,
    "record cost": record_cost,
}
GRAPH_READS: dict[str, Operation] = {
    "graph": read_graph,
    "descendants, all pages": read_descendants,
    "ready": read_ready,
}
COST_SUMMARY, PORTFOLIO = "cost summary", "portfolio"
LARGE_READS: dict[str, Operation] = {COST_SUMMARY: read_cost_summary, PORTFOLIO: read_portfolio}
"""Reads of what is made of many rows."""
GROWTH: dict[str, Operation] = {
    "get intent": get_intent,
    "update state": update_state,
    "append event": append_event,
    "GET /intents": list_intents,
    "GET /intents?status=active": list_intents_by_status,
    "GET /events": list_all_events,
}
