"""The requests of test_bad_input: what is sent, and the refusal that it gets."""

from dataclasses import dataclass, field
from typing import Any

STATE, CREATE, EVENTS = "/intents/<intent>/state", "/intents", "/intents/<intent>/events"
DETAILS, STATUS = "/intents/<intent>", "/intents/<intent>/status"
DEPENDENCIES, AGENTS, KEYS = "/intents/<intent>/dependencies", "/intents/<intent>/agents", "/keys"
NOWHERE = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"
MiB = 2**20
OPERATOR = {"X-API-Key": "dev-user-key"}
ONCE = "the key that came with another body"


@dataclass(frozen=True)
class Bad:
    """A request, and the refusal that it gets. `says` is a part of the detail, `about` the field of the first error."""

    method: str
    path: str
    body: Any = None
    code: str = "invalid"
    status: int = 400
    about: str | None = None
    says: str = ""
    version: str | None = "1"
    key: str = "dev-user-key"
    headers: dict[str, str | bytes] = field(default_factory=dict)
    content_type: str = "application/json"


def bad_json(raw: bytes | str, says: str, **more: Any) -> Bad:
    return Bad("POST", CREATE, raw.encode() if isinstance(raw, str) else raw, says=says, about="", **more)


def bad_intent(about: str, says: str, **fields: Any) -> Bad:
    return Bad("POST", CREATE, {"title": "Do it", **fields}, about=about, says=says)


def bad_event(about: str, says: str, **fields: Any) -> Bad:
    return Bad("POST", EVENTS, {"event_type": "comment", **fields}, about=about, says=says)


def bad_patch(*patches: Any, says: str, code: str = "invalid_patch", about: str | None = None) -> Bad:
    return Bad("POST", STATE, {"patches": list(patches)}, code=code, says=says, about=about)


def bad_query(path: str, about: str, says: str) -> Bad:
    return Bad("GET", path, about=about, says=says)


def bad_header(name: str, value: str | bytes, says: str, **more: Any) -> Bad:
    return Bad("POST", CREATE, {"title": "Do it"}, about=name, says=says, headers={name: value}, **more)


def bad_version(given: str) -> Bad:
    return Bad("PATCH", DETAILS, {"title": "New"}, about="If-Match", says="is not a version", version=given)


def put(path: str, value: Any = 1) -> dict[str, Any]:
    return {"op": "set", "path": path, "value": value}


def nested(levels: int) -> str:
    """A title whose state is so deep that the whole body has `levels` levels."""
    return '{"title": "Deep", "state": ' + '{"a": ' * (levels - 2) + "{}" + "}" * (levels - 2) + "}"


TABLE = {
    # --- JSON that is none, or that two databases would not keep alike
    "no JSON": bad_json("{title}", "not JSON"),
    "an unfinished body": bad_json('{"title": "Do', "not JSON"),
    "two bodies in one": bad_json('{"title": "a"} {"title": "b"}', "not JSON"),
    "a comment in JSON": bad_json('{"title": "a" /* ! */}', "not JSON"),
    "a trailing comma": bad_json('{"title": "a",}', "not JSON"),
    "NaN": bad_json('{"title": "a", "state": {"x": NaN}}', "not JSON"),
    "Infinity": bad_json('{"title": "a", "state": {"x": -Infinity}}', "not JSON"),
    "1e400": bad_json('{"title": "a", "state": {"x": 1e400}}', "not JSON"),
    "2^53": bad_json('{"title": "a", "state": {"x": 9007199254740992}}', "outside ±(2^53−1)"),
    "-2^53": bad_json('{"title": "a", "state": {"x": -9007199254740992}}', "outside ±(2^53−1)"),
    "10^30": bad_json('{"title": "a", "state": {"x": 1' + "0" * 30 + "}}", "outside ±(2^53−1)"),
    "an integer of 5,000 digits": bad_json('{"title": "a", "state": {"x": ' + "9" * 5000 + "}}", ""),
    "a NUL in a text": bad_json(r'{"title": "a\u0000b"}', "NUL"),
    "a NUL in a key of the state": bad_json(r'{"title": "a", "state": {"\u0000": 1}}', "NUL"),
    "a raw NUL byte": bad_json('{"title": "a\0b"}', "not JSON"),
    "a lone high surrogate": bad_json(r'{"title": "\ud800"}', "not JSON"),
    "a lone low surrogate": bad_json(r'{"title": "\udc00 b"}', "not JSON"),
    "65 levels": bad_json(nested(65), "deeper than 64 levels"),
    "100,000 levels": bad_json("[" * 100_000, "not JSON"),
    "invalid UTF-8": bad_json(b'{"title": "\xff\xfe"}', "not JSON"),
    "overlong UTF-8": bad_json(b'{"title": "\xc0\xaf"}', "not JSON"),
    "UTF-16": bad_json('{"title": "a"}'.encode("utf-16"), "not JSON"),
    "Latin-1": bad_json('{"title": "é"}'.encode("latin-1"), "not JSON", content_type="application/json; charset=latin-1"),
    "a byte order mark": bad_json(b'\xef\xbb\xbf{"title": "a"}', "not JSON"),
    "spaces for a body": bad_json("  \n", "not JSON"),
    "null": bad_json("null", "must be an object"),
    "a list": bad_json("[]", "must be an object"),
    "a text": bad_json('"title"', "must be an object"),
    "a number": bad_json("7", "must be an object"),
    "no body": Bad("POST", CREATE, b"", about="title", says="is required"),
    # --- content types
    "a form": Bad("POST", CREATE, b"title=a", "unsupported_media_type", 415, content_type="application/x-www-form-urlencoded"),
    "a multipart form": Bad(
        "POST", CREATE, b"--x--", "unsupported_media_type", 415, content_type="multipart/form-data; boundary=x"
    ),
    "plain text": Bad("POST", CREATE, b'{"title": "a"}', "unsupported_media_type", 415, content_type="text/plain"),
    "no content type": Bad("POST", CREATE, b'{"title": "a"}', "unsupported_media_type", 415, content_type=""),
    "nearly JSON": Bad("POST", CREATE, b'{"title": "a"}', "unsupported_media_type", 415, content_type="application/jsonx"),
    # --- fields of an intent
    "a title that is a number": bad_intent("title", "must be text", title=5),
    "a title that is a list": bad_intent("title", "must be text", title=["a"]),
    "no title": bad_intent("title", "cannot be null", title=None),
    "an empty title": bad_intent("title", "cannot be empty", title=""),
    "a title of spaces": bad_intent("title", "cannot be empty", title=" \t "),
    "a title of 501 characters": bad_intent("title", "longer than 500 characters", title="é" * 501),
    "a description of 10,001 characters": bad_intent("description", "longer than 10000 characters", description="é" * 10_001),
    "a state that is a list": bad_intent("state", "must be an object", state=[]),
    "a state that is null": bad_intent("state", "cannot be null", state=None),
    "constraints that are a text": bad_intent("constraints", "must be an object", constraints="cheap"),
    "confidence 101": bad_intent("confidence", "must be 100 or less", confidence=101),
    "confidence -1": bad_intent("confidence", "must be 0 or more", confidence=-1),
    "confidence 0.5": bad_intent("confidence", "must be a whole number", confidence=0.5),
    "confidence as text": bad_intent("confidence", "must be a whole number", confidence="80"),
    "confidence true": bad_intent("confidence", "must be a whole number", confidence=True),
    "confidence 1e300": bad_intent("confidence", "must be 100 or less", confidence=1e300),
    "an unknown field": bad_intent("titel", "did you mean title?", titel="a"),
    "an unknown field, like nothing": bad_intent("zzz", "known: assign, confidence", zzz=1),
    "a field of the answer": bad_intent("version", "unknown field", version=7),
    "both names of the state": bad_intent("initial_state", "alias of state", state={"a": 1}, initial_state={"a": 2}),
    "both names of the parent": bad_intent("parent_id", "alias of", parent_intent_id="<intent>", parent_id="<done>"),
    "a parent that is no id": bad_intent("parent_intent_id", "must be an id", parent_intent_id="7"),
    "an id in braces": bad_intent("parent_intent_id", "must be an id", parent_intent_id="{" + NOWHERE + "}"),
    "an id without dashes": bad_intent("parent_intent_id", "must be an id", parent_intent_id=NOWHERE.replace("-", "")),
    "an unknown parent": bad_intent("parent_intent_id", "no intent has the id", parent_intent_id=NOWHERE),
    "an unknown dependency": bad_intent("depends_on", "no intent has the id", depends_on=["<intent>", NOWHERE]),
    "a dependency that is no id": bad_intent("depends_on.1", "must be an id", depends_on=["<intent>", 3]),
    "dependencies that are no list": bad_intent("depends_on", "must be a list", depends_on="<intent>"),
    "1,001 dependencies": bad_intent("depends_on", "more than 1000 entries", depends_on=["<intent>"] * 1001),
    "an agent that is a number": bad_intent("assign.0", "must be an object or an agent id", assign=[5]),
    "an agent without an id": bad_intent("assign.0.agent_id", "is required", assign={"role": "lead"}),
    "an agent with an unknown field": bad_intent(
        "assign.0.rolle", "did you mean role?", assign={"agent_id": "ada", "rolle": "x"}
    ),
    "an agent id with a line break": bad_intent("created_by", "control or format characters", created_by="a\nb"),
    "an agent id with a space at its end": bad_intent("created_by", "end with a space", created_by="ada "),
    "an empty agent id": bad_intent("created_by", "cannot be empty", created_by=""),
    "an agent id of 256 characters": bad_intent("created_by", "longer than 255 characters", created_by="a" * 256),
    "a child of a final intent": Bad("POST", "/intents/<done>/children", {"title": "a"}, "intent_closed", 409, says="is final"),
    "a child that names its parent": Bad(
        "POST", "/intents/<intent>/children", {"title": "a", "parent_id": "<done>"}, about="parent_intent_id"
    ),
    "a child that depends on its parent": Bad(
        "POST",
        "/intents/<intent>/children",
        {"title": "a", "depends_on": ["<intent>"]},
        "dependency_cycle",
        says="wait for each other",
    ),
    # --- versions
    "no version": Bad("PATCH", DETAILS, {"title": "New"}, "version_required", 428, says="If-Match", version=None),
    "an empty version": Bad("PATCH", DETAILS, {"title": "New"}, "version_required", 428, version=" "),
    "a stale version": Bad("PATCH", "/intents/<done>", {"title": "New"}, "version_conflict", 409, says="at version 2"),
    "a version to come": Bad("PATCH", DETAILS, {"title": "New"}, "version_conflict", 409, says="If-Match said 9", version="9"),
    **{
        f"version {given}": bad_version(given)
        for given in ("*", '"1", "2"', "1,2", '"1', '1"', "0", "-1", "01", "1.0", "one", '""', "9" * 30, "١")
    },
    # --- details
    "nothing to change": Bad("PATCH", DETAILS, {}, about="", says="at least one of title"),
    "only who changes it": Bad("PATCH", DETAILS, {"actor": "ada"}, about="", says="at least one of title"),
    "a status among the details": Bad("PATCH", DETAILS, {"status": "active"}, about="status", says="unknown field"),
    "a state among the details": Bad("PATCH", DETAILS, {"state": {}}, about="state", says="unknown field"),
    # --- states
    "no patches": Bad("POST", STATE, {"patches": []}, about="patches", says="needs at least one entry"),
    "an empty state": Bad("POST", STATE, {"state": {}}, about="state", says="needs at least one entry"),
    "neither state nor patches": Bad("POST", STATE, {}, about="", says="either state or patches"),
    "state and patches": Bad("POST", STATE, {"state": {"a": 1}, "patches": [put("a")]}, about="", says="either state or patches"),
    "1,001 patches": Bad("POST", STATE, {"patches": [put("a")] * 1001}, about="patches", says="more than 1000 entries"),
    "a patch that is a text": bad_patch("a", says="must be an object", code="invalid", about="patches.0"),
    "an unknown op": bad_patch(
        {"op": "add", "path": "a"}, says="must be one of set, append, remove", code="invalid", about="patches.0.op"
    ),
    "an op that is a list": bad_patch({"op": [], "path": "a"}, says="must be one of", code="invalid", about="patches.0.op"),
    "no path": bad_patch({"op": "set", "value": 1}, says="is required", code="invalid", about="patches.0.path"),
    "an empty path": bad_patch(put(""), says="cannot be empty", code="invalid", about="patches.0.path"),
    "a path of 1,001 characters": bad_patch(put("a" * 1001), says="longer than 1000", code="invalid", about="patches.0.path"),
    "set without a value": bad_patch({"op": "set", "path": "a"}, says="is required", code="invalid", about="patches.0.value"),
    "remove with a value": bad_patch(
        {"op": "remove", "path": "a", "value": 1}, says="is not valid with remove", code="invalid", about="patches.0.value"
    ),
    "a good patch, then a bad one": bad_patch(put("b"), {"op": "remove", "path": "c"}, says="Patch 1: 'c' does not exist"),
    "removing what is absent": bad_patch({"op": "remove", "path": "/x/y"}, says="does not exist"),
    "a path through a text": bad_patch(put("/text/x"), says="passes through a value"),
    "a path through a number": bad_patch(put("/a/b/c"), says="passes through a value"),
    "appending to a text": bad_patch({"op": "append", "path": "text", "value": 1}, says="is not a list"),
    "an index out of range": bad_patch(put("/list/1"), says="is not an index of a list of 1"),
    "a negative index": bad_patch(put("/list/-1"), says="is not an index"),
    "an index with a zero before it": bad_patch(put("/list/00"), says="is not an index"),
    "removing the end of a list": bad_patch({"op": "remove", "path": "/list/-"}, says="is not an index"),
    "a tilde in a pointer": bad_patch(put("/a~2"), says="is not a JSON Pointer"),
    "a path of 65 levels": bad_patch(put("/x" * 65), says="deeper than 64 levels"),
    "a state of more than 1 MiB": Bad("POST", STATE, {"state": {"x": "a" * MiB}}, "too_large", 413, says="1048576 bytes"),
    # --- statuses
    "an unknown status": Bad("POST", STATUS, {"status": "done"}, about="status", says="must be one of draft, pending"),
    "a status that is null": Bad("POST", STATUS, {"status": None}, about="status", says="cannot be null"),
    "a status that is an object": Bad("POST", STATUS, {"status": {}}, about="status", says="must be one of"),
    "draft to … a final intent": Bad(
        "POST", "/intents/<done>/status", {"status": "active"}, "illegal_transition", says="none, it is final", version="2"
    ),
    "back to draft": Bad(
        "POST", "/intents/<waiting>/status", {"status": "draft"}, "illegal_transition", says="cannot become draft"
    ),
    "leaving blocked": Bad("POST", "/intents/<waiting>/status", {"status": "active"}, "completion_gate", 409, says="waits for"),
    "completing over an open child": Bad("POST", STATUS, {"status": "completed"}, "completion_gate", 409, says="children"),
    "cascade without abandoning": Bad(
        "POST", STATUS, {"status": "active", "cascade": True}, about="cascade", says="only valid with"
    ),
    "cascade as a text": Bad("POST", STATUS, {"status": "abandoned", "cascade": "yes"}, about="cascade", says="true or false"),
    # --- dependencies
    "itself as a dependency": Bad(
        "POST", DEPENDENCIES, {"depends_on": "<intent>"}, "dependency_cycle", says="wait for each other"
    ),
    "a cycle": Bad("POST", DEPENDENCIES, {"depends_on": ["<waiting>"]}, "dependency_cycle", says="<waiting>"),
    "a child that waits for its parent": Bad(
        "POST", "/intents/<child>/dependencies", {"depends_on": ["<intent>"]}, "dependency_cycle", says="wait for each other"
    ),
    "no dependency": Bad("POST", DEPENDENCIES, {"depends_on": []}, about="depends_on", says="needs at least one entry"),
    "a dependency of a final intent": Bad(
        "POST", "/intents/<done>/dependencies", {"depends_on": ["<intent>"]}, "intent_closed", 409, says="is final", version="2"
    ),
    "removing a dependency without a version": Bad(
        "DELETE", "/intents/<waiting>/dependencies/<intent>", None, "version_required", 428, version=None
    ),
    "removing a dependency that is no id": Bad("DELETE", DEPENDENCIES + "/x", None, "not_found", 404, says="'x'"),
    # --- events
    "an event of the server": Bad(
        "POST", EVENTS, {"event_type": "status_changed"}, "reserved_event_type", 403, says="the server only"
    ),
    "an event type in capitals": bad_event("event_type", "must begin with a-z", event_type="Comment"),
    "an event type of 101 characters": bad_event("event_type", "up to 99", event_type="a" * 101),
    "an event type with a line break": bad_event("event_type", "must begin with a-z", event_type="comment\n"),
    "a payload that is a list": bad_event("payload", "must be an object", payload=[]),
    "a payload of more than 256 KiB": Bad(
        "POST", EVENTS, {"event_type": "comment", "payload": {"x": "a" * 2**18}}, "too_large", 413, says="262144 bytes"
    ),
    "a trace id of 256 characters": bad_event("trace_id", "longer than 255", trace_id="a" * 256),
    "an unknown parent event": bad_event("parent_event_id", "no event has the id", parent_event_id=NOWHERE),
    "1,001 events at once": Bad(
        "POST", EVENTS + "/batch", {"events": [{"event_type": "a"}] * 1001}, about="events", says="more than 1000 entries"
    ),
    "no events at once": Bad("POST", EVENTS + "/batch", {"events": []}, about="events", says="needs at least one entry"),
    "one bad event among good ones": Bad(
        "POST", EVENTS + "/batch", {"events": [{"event_type": "a"}, {"event_type": "b", "x": 1}]}, about="events.1.x"
    ),
    "one reserved event among good ones": Bad(
        "POST", EVENTS + "/batch", {"events": [{"event_type": "a"}, {"event_type": "retry_due"}]}, "reserved_event_type", 403
    ),
    # --- addresses
    "an unknown intent": Bad("GET", f"/intents/{NOWHERE}", None, "not_found", 404, says=NOWHERE),
    "an intent whose id is none": Bad("GET", "/intents/7", None, "not_found", 404, says="'7'"),
    "an unknown intent to write to": Bad("POST", f"/intents/{NOWHERE}/state", {"state": {"a": 1}}, "not_found", 404),
    "an unknown intent to log to": Bad("POST", f"/intents/{NOWHERE}/events", {"event_type": "a"}, "not_found", 404),
    "the children of nobody": Bad("GET", f"/intents/{NOWHERE}/children", None, "not_found", 404),
    "the agents of nobody": Bad("GET", f"/intents/{NOWHERE}/agents", None, "not_found", 404),
    "a slash too many": Bad("GET", "/intents/", None, "not_found", 404, says="/api/v1/intents/"),
    "a word too many": Bad("GET", "/intents/<intent>/stat", None, "not_found", 404),
    "a NUL in the path": Bad("GET", "/intents/%00", None, "not_found", 404),
    "a NUL in an agent's id": Bad("GET", "/agents/a%00b/intents", None, "not_found", 404),
    "half a character in the path": Bad("GET", "/intents/%C3%28", None, "not_found", 404),
    "dots in the path": Bad("GET", "/intents/..%2F..%2Fetc%2Fpasswd", None, "not_found", 404),
    "an unknown key": Bad("DELETE", f"{KEYS}/{NOWHERE}", None, "not_found", 404, says=NOWHERE),
    "a key whose id is none": Bad("DELETE", f"{KEYS}/x", None, "not_found", 404),
    # --- methods
    "DELETE of an intent": Bad("DELETE", DETAILS, None, "method_not_allowed", 405, says="DELETE"),
    "PUT of an intent": Bad("PUT", DETAILS, {"title": "a"}, "method_not_allowed", 405),
    "POST to a list that is only read": Bad(
        "POST", "/events", {"event_type": "a"}, "method_not_allowed", 405, says="allowed: GET, HEAD"
    ),
    "TRACE": Bad("TRACE", CREATE, None, "method_not_allowed", 405),
    # --- query parameters
    "an unknown parameter": bad_query(CREATE + "?stauts=draft", "stauts", "did you mean status?"),
    "a parameter where none is read": bad_query(DETAILS + "?full=1", "full", "unknown parameter"),
    "a parameter of a write": Bad("POST", CREATE + "?dry_run=1", {"title": "a"}, about="dry_run", says="unknown parameter"),
    "an unknown parameter of the keys": bad_query(KEYS + "?role=agent", "role", "unknown parameter"),
    **{
        f"limit {given}": bad_query(f"{CREATE}?limit={given}", "limit", "1 to 1000")
        for given in ("0", "-1", "1001", "ten", "", "1e2", "%C2%B2")
    },
    "an offset that is negative": bad_query(CREATE + "?offset=-1", "offset", "whole number"),
    "an offset beyond everything": bad_query(CREATE + "?offset=99999999999", "offset", "whole number"),
    **{
        f"cursor {given}": bad_query(f"{CREATE}?cursor={given}", "cursor", "not a cursor of this list")
        for given in ("x", "W10", "WzFd", "%00", "e30", "%C3%A9")
    },
    "another list's cursor": bad_query(EVENTS + "?cursor=WyJhIiwiYiJd", "cursor", "not a cursor of this list"),
    "a status that is none": bad_query(CREATE + "?status=done", "status", "one or more of draft"),
    "an empty filter": bad_query(CREATE + "?created_by=", "created_by", "cannot be empty"),
    "a filter with a NUL": bad_query(CREATE + "?q=a%00b", "q", "NUL"),
    "a parent to filter by that is no id": bad_query(CREATE + "?parent_intent_id=7", "parent_intent_id", "must be an id"),
    "a time that is none": bad_query(CREATE + "?updated_since=yesterday", "updated_since", "a time like"),
    "a time before all times": bad_query(CREATE + "?updated_since=0001-01-01T00:00:00%2B14:00", "updated_since", ""),
    "an unknown ordering": bad_query(CREATE + "?ordering=title", "ordering", "must be one of created_at"),
    "an unknown order": bad_query(EVENTS + "?order=up", "order", "must be one of asc, desc"),
    "a filter for types with a control character": bad_query(
        EVENTS + "?event_type=a%0bb", "event_type", "values, separated by commas"
    ),
    "a sequence that is none": bad_query(EVENTS + "?after=x", "after", "whole number from 0"),
    "a sequence beyond everything": bad_query(EVENTS + "?after=99999999999999999999", "after", "whole number from 0"),
    # --- headers
    "an empty Idempotency-Key": bad_header("Idempotency-Key", "", "1 to 255"),
    "an Idempotency-Key of 256 characters": bad_header("Idempotency-Key", "k" * 256, "1 to 255"),
    "an Idempotency-Key that came with another body": Bad(
        "POST", CREATE, {"title": "Another"}, "idempotency_key_reused", 422, headers={"Idempotency-Key": ONCE}
    ),
    "an X-Agent-ID of 256 characters": bad_header("X-Agent-ID", "a" * 256, "1 to 255"),
    "an X-Agent-ID in Latin-1": bad_header("X-Agent-ID", b"zo\xeb", "UTF-8"),
    # --- callers
    "no key": Bad("POST", CREATE, {"title": "a"}, "unauthenticated", 401, says="No API key", key=""),
    "a wrong key": Bad("POST", CREATE, {"title": "a"}, "unauthenticated", 401, says="unknown, expired or revoked", key="guess"),
    "an observer who creates": Bad("POST", CREATE, {"title": "a"}, "forbidden", 403, says="role agent", key="<observer>"),
    "an observer who removes": Bad("DELETE", f"{AGENTS}/ada", None, "forbidden", 403, key="<observer>"),
    "an agent who lists keys": Bad("GET", KEYS, None, "forbidden", 403, says="role operator", key="<agent>"),
    "an agent who makes a key": Bad("POST", KEYS, {"name": "a", "role": "operator"}, "forbidden", 403, key="<agent>"),
    "a bound agent with another's X-Agent-ID": Bad(
        "POST",
        CREATE,
        {"title": "a"},
        "agent_mismatch",
        403,
        says="bound to 'bound-ada'",
        key="<ada>",
        headers={"X-Agent-ID": "bob"},
    ),
    "a bound agent who names another": Bad(
        "POST", CREATE, {"title": "a", "created_by": "bob"}, "agent_mismatch", 403, key="<ada>"
    ),
    "a bound agent who reads as another": Bad(
        "GET", CREATE, None, "agent_mismatch", 403, key="<ada>", headers={"X-Agent-ID": "bob"}
    ),
    # --- keys
    "a key without a role": Bad("POST", KEYS, {"name": "ci"}, about="role", says="is required"),
    "a key of an unknown role": Bad("POST", KEYS, {"name": "ci", "role": "root"}, about="role", says="must be one of observer"),
    "a key whose name is a number": Bad("POST", KEYS, {"name": 5, "role": "agent"}, about="name", says="must be text"),
    "a key whose name is too long": Bad("POST", KEYS, {"name": "a" * 101, "role": "agent"}, about="name", says="longer than 100"),
    "a key that has expired": Bad(
        "POST",
        KEYS,
        {"name": "ci", "role": "agent", "expires_at": "2020-01-01T00:00:00Z"},
        about="expires_at",
        says="in the future",
    ),
    "a key that expires on a day": Bad(
        "POST", KEYS, {"name": "ci", "role": "agent", "expires_at": "2099-01-01"}, about="expires_at", says="a time like"
    ),
    "a key that expires at a number": Bad(
        "POST", KEYS, {"name": "ci", "role": "agent", "expires_at": 4102444800}, about="expires_at", says="a time like"
    ),
    # --- agents
    "an assignment of nobody": Bad("POST", AGENTS, {}, about="agent_id", says="is required"),
    "a role that is empty": Bad("POST", AGENTS, {"agent_id": "ada", "role": ""}, about="role", says="cannot be empty"),
}
