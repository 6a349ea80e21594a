"""OpenAPI components that every operation shares: errors, stream frames and headers."""

from core.agent_ids import RESERVED_PATTERN

PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

ERROR_DESCRIPTIONS = {
    "400": "The request is invalid.",
    "401": "The API key is missing, unknown, expired or revoked.",
    "403": "The key does not allow this request.",
    "404": "The object does not exist.",
    "408": "The body did not arrive in time.",
    "409": "The request conflicts with another one, or with the object's state.",
    "413": "The request is too large.",
    "415": "The body is not JSON.",
    "416": "The range starts beyond the end.",
    "422": "The Idempotency-Key was used for another request.",
    "428": "If-Match is missing.",
    "429": "Too many requests.",
    "431": "The headers are too large.",
    "500": "The server failed unexpectedly.",
    "503": "The server is unavailable at the moment.",
}

SUCCESS_DESCRIPTIONS = {"200": "Success.", "201": "Created.", "204": "Success, without content."}

_IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "Problem details (RFC 9457). Further members depend on the code.",
    "required": ["type", "title", "status", "code", "detail", "message"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/version_conflict"]},
        "title": {"type": "string", "examples": ["Version conflict"]},
        "status": {"type": "integer", "examples": [409]},
        "code": {"type": "string", "examples": ["version_conflict"]},
        "detail": {"type": "string"},
        "message": {"type": "string", "description": "The same as detail."},
        "request_id": {"type": ["string", "null"]},
        "current_version": {"type": "integer", "description": "With version_conflict: the current version."},
        "existing_lease": {"$ref": "#/components/schemas/Lease", "description": "With lease_conflict: the conflicting lease."},
        "waiting_for": {**_IDS, "description": "With completion_gate: intents that must end first."},
        "cycle": {**_IDS, "description": "With dependency_cycle: the intents of the cycle."},
        "from": {"type": "string", "description": "With illegal_transition: the current status."},
        "to": {"type": "string", "description": "With illegal_transition: the requested status."},
        "allowed": {"type": "array", "items": {"type": "string"}, "description": "With illegal_transition: allowed statuses."},
        "index": {"type": "integer", "description": "With invalid_patch: index of the patch, from 0."},
        "limit": {"type": "integer", "description": "With too_large: the limit."},
        "retry_after": {"type": "integer", "description": "With rate_limited: seconds to wait."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message", "code"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}, "code": {"type": "string"}},
            },
        },
    },
    "examples": [
        {
            "type": "/problems/version_conflict",
            "title": "Version conflict",
            "status": 409,
            "code": "version_conflict",
            "detail": "Intent is at version 4; If-Match said 3.",
            "message": "Intent is at version 4; If-Match said 3.",
            "request_id": "0199f3a27c4d7e0a",
            "current_version": 4,
        }
    ],
}

STREAM_FRAMES = {
    "StreamStart": {
        "type": "object",
        "description": "`event: connected`, the first frame of a stream, with its start position.",
        "required": ["position"],
        "properties": {"position": {"type": "integer", "examples": [4711]}},
    },
    "StreamEnd": {
        "type": "object",
        "description": "`event: bye`, the last frame, with the reason why the server ends the stream. Reconnect with the last id.",
        "required": ["reason"],
        "properties": {"reason": {"type": "string", "examples": ["shutdown"]}},
    },
    "StreamFrame": {
        "description": "The data of one frame of a stream (protocol §7, rule S-1).",
        "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Event", "StreamStart", "StreamEnd")],
    },
}

STREAM_CONTENT = {"text/event-stream": {"schema": {"$ref": "#/components/schemas/StreamFrame"}}}

_VERSION = {"type": "string", "pattern": '^("[1-9][0-9]{0,17}"|[1-9][0-9]{0,17})$', "examples": ['"3"']}

HEADERS = {
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The version that the write is based on: the ETag of the last read.",
        "schema": _VERSION,
    },
    "OptionalIfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The version that the write is based on: the ETag of the last read. If the current version differs, the write is refused.",
        "schema": _VERSION,
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A repeated request with the same key returns the first response, for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "FencingToken": {
        "name": "X-Fencing-Token",
        "in": "header",
        "description": "The write succeeds only while the caller holds the lease with this `fencing_token`.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,17}$", "examples": ["1"]},
    },
    "AgentId": {
        "name": "X-Agent-ID",
        "in": "header",
        "description": "The acting agent, for a key that is not bound to an agent.",
        "schema": {
            "type": "string",
            "maxLength": 255,
            "pattern": "^([!-~]([ -~]*[!-~])?)?$",
            "not": {"pattern": RESERVED_PATTERN},
        },
    },
}
