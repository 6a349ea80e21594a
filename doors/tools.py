"""The tools: each is a request to an operation of the API (protocol §11). Nothing here knows MCP's messages."""

import asyncio
import base64
import hashlib
import json
from typing import Any

from doors import schemas
from doors.lease_tokens import fencing_headers
from doors.operations import Door, Refused, segment
from doors.question_results import QUESTION, is_same, list_questions, question_result, request_body
from doors.results import without_token
from doors.schemas import INTENT_ID, KEY, LIMIT, VERSION, arguments, flag, mapping, result, sequence, text, whole
from doors.tool_registry import TOOLS, Arguments, Tool, if_match, intent_path, key_header, tool

__all__ = ["TOOLS", "WAIT_SECONDS", "Tool"]

WAIT_SECONDS = 45
"""Longest wait of one call; with what surrounds it, it stays below 50 s (rule M-4)."""
WORK = ["id", "title", "description", "status", "version", "parent_intent_id", "agents", "updated_at"]


@tool(
    "find_work",
    "Find work",
    arguments(
        {
            "assigned_to_me": flag("Only intents that are assigned to you"),
            "status": text("Statuses, separated by commas", default="draft,pending,active"),
            "q": text("Words of the title or description, each by its beginning"),
            "parent_intent_id": text("Only children of this intent", format="uuid"),
            "limit": LIMIT,
            "cursor": text("`next` of the last result, for more"),
        }
    ),
    result({"intents": sequence("Intents", schemas.INTENT), "next": {"type": ["string", "null"]}}, "intents", "next"),
    reads=True,
)
async def find_work(door: Door, given: Arguments) -> dict[str, Any]:
    """List open intents, the newest first: goals to work on. Take one with take_work before you change it."""
    if given.pop("assigned_to_me", False):
        given["agent_id"] = door.agent
    found = await door.get("/intents", **{"status": "draft,pending,active", "limit": 20, **given})
    return {**found, "intents": [{name: each[name] for name in WORK} for each in found["intents"]]}


@tool(
    "take_work",
    "Take work",
    arguments(
        {"intent_id": INTENT_ID, "version": VERSION, "role": text("Your role there", default="worker")}, "intent_id", "version"
    ),
    schemas.INTENT,
    is_idempotent=True,
)
async def take_work(door: Door, given: Arguments) -> dict[str, Any]:
    """Begin work on an intent: it becomes active, and you are assigned to it. If another agent was first, the version has
    changed and nothing is written. Read get_brief next."""
    path, role = intent_path(given), given.pop("role", "worker")
    headers = if_match(given)
    await door.post(f"{path}/status", {**given, "status": "active"}, **headers)
    await door.post(f"{path}/agents", {"agent_id": door.agent, "role": role})
    return await door.get(path)


@tool(
    "get_brief",
    "Get a brief",
    arguments(
        {
            "intent_id": INTENT_ID,
            "max_chars": whole("Length at most", minimum=500, maximum=20_000, default=4_000),
            "since": text("A sequence or a time: leaves out what is older"),
        },
        "intent_id",
    ),
    result(
        {
            "intent_id": INTENT_ID,
            "sequence": whole("Last event"),
            "text": text("Lines, each with its event"),
            "left_out": mapping(""),
        },
        "intent_id",
        "sequence",
        "text",
    ),
    reads=True,
)
async def get_brief(door: Door, given: Arguments) -> dict[str, Any]:
    """Read what to know to take an intent over: goal, status, state, open questions, decisions, leases, failures, last events."""
    return await door.get(intent_path(given, "/brief"), **given)


@tool("get_intent", "Get an intent", arguments({"intent_id": INTENT_ID}, "intent_id"), schemas.INTENT, reads=True)
async def get_intent(door: Door, given: Arguments) -> dict[str, Any]:
    """Read an intent with its whole state and its version, which the next write needs."""
    return await door.get(intent_path(given), **given)


@tool(
    "create_intents",
    "Create intents",
    arguments(
        {
            "intents": sequence(
                "Intents, in any order",
                {
                    "type": "object",
                    "properties": {
                        "ref": text("Name of your own for it, for parent and depends_on"),
                        "title": text("Goal", maxLength=500),
                        "description": text("What is to be done", maxLength=10_000),
                        "parent": text("ref or id of its parent"),
                        "depends_on": sequence("refs or ids of what must be completed first", {"type": "string"}),
                        "assign": {"description": "Agent id, or several"},
                        "state": mapping("Initial state"),
                    },
                    "required": ["title"],
                },
            ),
            "portfolio": {"type": ["object", "null"], "description": "A portfolio for all of them: name, description"},
            "idempotency_key": KEY,
        },
        "intents",
    ),
    result({"intents": sequence("As created", schemas.INTENT), "refs": mapping("Ids by ref")}, "intents", "refs"),
)
async def create_intents(door: Door, given: Arguments) -> dict[str, Any]:
    """Create one intent or a whole plan with its dependencies, all or none."""
    return await door.post("/intents/batch", given, **key_header(given))


@tool(
    "update_state",
    "Update the state",
    arguments(
        {
            "intent_id": INTENT_ID,
            "version": VERSION,
            "state": mapping("Keys to set"),
            "patches": sequence(
                "Instead of state: {op: set, append or remove; path: a key, or a JSON Pointer; value}", {"type": "object"}
            ),
        },
        "intent_id",
        "version",
    ),
    schemas.INTENT,
    is_destructive=True,
)
async def update_state(door: Door, given: Arguments) -> dict[str, Any]:
    """Record results and progress in an intent's state. All changes apply, or none. Needs the version that you have read."""
    path = intent_path(given)
    headers = {**if_match(given), **await fencing_headers(door, path)}
    return await door.post(f"{path}/state", given, **headers)


@tool(
    "set_status",
    "Set the status",
    arguments(
        {
            "intent_id": INTENT_ID,
            "version": VERSION,
            "status": text("pending, active, blocked, completed or abandoned"),
            "reason": text("Why", maxLength=10_000),
            "cascade": flag("When abandoning: also all open descendants"),
        },
        "intent_id",
        "version",
        "status",
    ),
    schemas.INTENT,
    is_destructive=True,
    is_idempotent=True,
)
async def set_status(door: Door, given: Arguments) -> dict[str, Any]:
    """Complete an intent when its goal is reached; completed and abandoned are final. Completing releases its leases and
    unblocks what depends on it."""
    path = intent_path(given)
    headers = {**if_match(given), **await fencing_headers(door, path)}
    return await door.post(f"{path}/status", given, **headers)


@tool(
    "lease_scope",
    "Lease a scope",
    arguments(
        {
            "intent_id": INTENT_ID,
            "scope": text("Part of the state (`content.draft`), or a file or folder (`file:src/app.py`)"),
            "duration_seconds": whole("Ask again to keep it longer", minimum=1, maximum=86_400, default=300),
        },
        "intent_id",
        "scope",
    ),
    schemas.LEASE,
    is_idempotent=True,
)
async def lease_scope(door: Door, given: Arguments) -> dict[str, Any]:
    """Become the only agent that works on a part of an intent, or on files, until the lease ends. Lease files before you edit
    them. If another agent holds an overlapping scope, you are told who and until when."""
    return without_token(await door.post(intent_path(given, "/leases"), given))


@tool(
    "release_scope",
    "Release a scope",
    arguments({"intent_id": INTENT_ID, "scope": text("Exactly as it was leased")}, "intent_id", "scope"),
    result({"released": flag("False: you did not hold it")}, "released"),
    is_idempotent=True,
)
async def release_scope(door: Door, given: Arguments) -> dict[str, Any]:
    """Release a lease of yours as soon as you are done, so that others can go on."""
    path, scope = intent_path(given, "/leases"), given.pop("scope", None)
    held = (await door.get(path, **{**given, "status": "active", "limit": 1000}))["leases"]
    mine = [each["id"] for each in held if each["agent_id"] == door.agent and each["scope"] == scope]
    for lease_id in mine:
        await door.send("DELETE", f"{path}/{lease_id}")
    return {"released": bool(mine)}


@tool(
    "log_event",
    "Log an event",
    arguments(
        {
            "intent_id": INTENT_ID,
            "event_type": text("Such as `comment` or a type of your own: lower case letters, digits, _ . -"),
            "payload": mapping("Data, such as {text: …}"),
            "idempotency_key": KEY,
        },
        "intent_id",
        "event_type",
    ),
    schemas.EVENT,
)
async def log_event(door: Door, given: Arguments) -> dict[str, Any]:
    """Write down what you found or did, for people and for whoever goes on with it. The log cannot be changed."""
    path = intent_path(given, "/events")
    return await door.post(path, given, **key_header(given))


@tool(
    "record_cost",
    "Record a cost",
    arguments(
        {
            "intent_id": INTENT_ID,
            "cost_type": text("Such as `llm_call`"),
            "amount": {"type": "number", "minimum": 0, "description": "Amount"},
            "unit": text("USD, cents, tokens, seconds, …", default="USD"),
            "provider": text("Provider"),
            "model": text("Model"),
            "idempotency_key": KEY,
        },
        "intent_id",
        "cost_type",
        "amount",
    ),
    result({"id": text("Id"), "amount": {"type": "number"}, "unit": text("Unit")}, "id", "amount", "unit"),
)
async def record_cost(door: Door, given: Arguments) -> dict[str, Any]:
    """Record what the work has cost, for its budget."""
    path = intent_path(given, "/costs")
    return await door.post(path, given, **key_header(given))


@tool(
    "ask",
    "Ask a person",
    arguments(
        {
            "intent_id": INTENT_ID,
            "question": text("What is to be decided"),
            "options": sequence("Answers to choose from: {label, rationale}", {"type": "object"}),
            "context": mapping("What the person needs to know"),
            "response_schema": mapping(
                "For another answer than a choice: a flat object schema (string, number, integer, boolean, enum)"
            ),
            "audience": sequence("Who is asked: user:NAME, group:NAME", {"type": "string"}),
            "urgency": text("low, normal or high", enum=["low", "normal", "high"]),
            "blocking": flag("Whether the intent waits for it"),
            "expires_at": text("Time after which it is not asked any more", format="date-time"),
            "remedy": mapping("To be allowed what was refused with permit_required: its remedy, as it is. Leave options out"),
        },
        "intent_id",
        "question",
    ),
    QUESTION,
    is_idempotent=True,
)
async def ask(door: Door, given: Arguments) -> dict[str, Any]:
    """Ask a person for a decision. You get a link at once: show it to the user, who signs in there and decides. Then call
    wait_for_decision. The same question again, while it is open, is not asked twice. With a remedy, an approval lets the refused
    call through once: make it again with the same arguments."""
    path = intent_path(given)
    body = request_body(given)
    for pause in (0.1, 0.3, 1.0, None):
        asked = [each for each in await list_questions(door, path) if is_same(each, body, door.agent)]
        if pending := [each for each in asked if each["status"] == "pending"]:
            return question_result(door, pending[0])
        once = hashlib.sha256(json.dumps([path, door.agent, body, len(asked)], sort_keys=True).encode()).hexdigest()
        try:
            return question_result(door, await door.post(f"{path}/arbitrate", body, idempotency_key=f"ask-{once}"))
        except Refused as refusal:
            if refusal.problem.get("code") != "request_in_progress" or pause is None:
                raise
        await asyncio.sleep(pause)  # The same question is being asked by another request.
    raise AssertionError


@tool(
    "wait_for_decision",
    "Wait for a decision",
    arguments(
        {
            "arbitration_id": text("From ask", format="uuid"),
            "seconds": whole("Wait at most", minimum=0, maximum=WAIT_SECONDS, default=WAIT_SECONDS),
        },
        "arbitration_id",
    ),
    QUESTION,
    reads=True,
)
async def wait_for_decision(door: Door, given: Arguments) -> dict[str, Any]:
    """Wait until a person has decided. While the status is pending, call it again: nothing is lost in between. An expired or
    withdrawn question grants nothing."""
    path, seconds = f"/arbitrations/{segment(given.pop('arbitration_id', ''))}", given.pop("seconds", WAIT_SECONDS)
    wait = min(seconds, WAIT_SECONDS) if isinstance(seconds, int) else seconds
    return question_result(door, await door.get(path, wait=wait, **given))


@tool(
    "add_file",
    "Add a file",
    arguments(
        {
            "intent_id": INTENT_ID,
            "filename": text("Name", maxLength=255),
            "text": text("Content, as text"),
            "content_base64": text("Content, in place of text"),
            "content_type": text("Media type"),
            "description": text("What it is"),
            "idempotency_key": KEY,
        },
        "intent_id",
        "filename",
    ),
    result(
        {"id": text("Id"), "filename": text("Name"), "size": whole("Bytes"), "sha256": text("Digest")}, "id", "filename", "size"
    ),
)
async def add_file(door: Door, given: Arguments) -> dict[str, Any]:
    """Attach a file to an intent: a report, a patch, a picture."""
    path = intent_path(given, "/attachments")
    if isinstance(content := given.get("text"), str):
        del given["text"]
        given = {"content_type": "text/plain", **given, "content_base64": base64.b64encode(content.encode()).decode()}
    return await door.post(path, given, **key_header(given))


@tool(
    "events_since",
    "Read events",
    arguments(
        {
            "intent_id": text("Only of this intent: then `after` is a sequence, else a position", format="uuid"),
            "after": whole("Events after this one; 0 for all", minimum=0, default=0),
            "event_type": text("Types, separated by commas"),
            "limit": LIMIT,
        }
    ),
    result(
        {
            "events": sequence("Events", schemas.EVENT),
            "order": text("What `after` counts: sequence or position"),
            "next_after": whole("`after` of the next call"),
            "more": flag("Whether there are more"),
        },
        "events",
        "next_after",
        "more",
    ),
    reads=True,
)
async def events_since(door: Door, given: Arguments) -> dict[str, Any]:
    """Read what has happened since you last looked."""
    order = "sequence" if given.get("intent_id") else "position"
    path = intent_path(given, "/events") if order == "sequence" else "/events"
    given = {"after": 0, "limit": 20, **given}
    found = await door.get(path, **given)
    last = found["events"][-1][order] if found["events"] else given["after"]
    return {"events": found["events"], "order": order, "next_after": last, "more": found["next"] is not None}
