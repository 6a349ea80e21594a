"""What the API would refuse, refused before it is sent (protocol K-3).

Each `validate_…` returns None or raises InputValidationError, whose `field` names the culprit. The
clients call them; call them yourself to check input early. The server checks the same again.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Context, Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import UUID

from .enums import SERVER_WRITTEN, RetryStrategy
from .errors import InputValidationError

__all__ = [
    "InputValidationError",
    "validate_agent_id",
    "validate_arbitration_request",
    "validate_attachment",
    "validate_cost",
    "validate_decision",
    "validate_event",
    "validate_events",
    "validate_failure",
    "validate_header",
    "validate_intent_create",
    "validate_intent_update",
    "validate_json",
    "validate_lease_acquire",
    "validate_patches",
    "validate_portfolio",
    "validate_retry_policy",
    "validate_state",
    "validate_whole_number",
]

TITLE_LENGTH = 500
DESCRIPTION_LENGTH = 10_000
AGENT_ID_LENGTH = 255
FILENAME_LENGTH = 255
CONTENT_TYPE_LENGTH = 255
URL_LENGTH = 2_000
SCOPE_LENGTH = 200
CONFIDENCE = (0, 100)
LEASE_SECONDS = (1, 86_400)
BATCH_SIZE = 1000
ERROR_TYPE_LENGTH = 200
ERROR_MESSAGE_LENGTH = 10_000
ATTEMPT = (1, 1_000_000)
RETRIES = (1, 100)
BASE_DELAY = (0, 86_400)
MAX_DELAY = (0, 604_800)
BACKOFF = (1, 100)
RETRYABLE_ERRORS = 100
OPTIONS = 50
LABEL_LENGTH = 200
AMOUNT = 10**12
AMOUNT_DECIMALS = 12
FLOAT_DIGITS = 15
CLEAN_DIGITS = 13  # Where the fifteen good digits of a computed float end in zeros, the rest is noise.
JSON_DEPTH = 64
JSON_INTEGER = 2**53 - 1
EVENT_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,99}")
PATCH_OPS = ("set", "append", "remove")

_ALL_DIGITS = Context(prec=1000)
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL stores neither; UTF-8 has no surrogates.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_CONTENT_TYPE = re.compile(r"[^\s/;]+/[^\s/;]+( ?;[ -~]*)?")
_STORAGE_URL = re.compile(r"(https?|s3|gs)://[^\s/?#@]+([/?#]\S*)?")
_HEADER = re.compile(r"[!-~](?:[ -~]*[!-~])?")

_INSTEAD: dict[type, str] = {
    datetime: "value.isoformat()",
    date: "value.isoformat()",
    Decimal: "str(value), or float(value) if it may be rounded",
    UUID: "str(value)",
    Enum: "value.value",
    bytes: "base64.b64encode(value).decode()",
    set: "list(value)",
    frozenset: "list(value)",
}


def validate_intent_create(
    title: str,
    description: str | None = None,
    *,
    state: Mapping[str, Any] | None = None,
    constraints: Mapping[str, Any] | Sequence[Any] | None = None,
    confidence: int | None = None,
    assign: str | Sequence[str] | None = None,
) -> None:
    """Check a new intent: `validate_intent_create(title="")` says "title cannot be empty"."""
    validate_intent_update(title=title, description=description, constraints=constraints, confidence=confidence)
    if state is not None:
        _mapping(state, "state")
    if assign is not None:
        for agent_id in [assign] if isinstance(assign, str) else assign:
            validate_agent_id(agent_id, "assign")


def validate_intent_update(**changes: Any) -> None:
    """Check new values of an intent's `title`, `description`, `constraints` and `confidence`."""
    if "title" in changes:
        _text(changes["title"], "title", TITLE_LENGTH)
    if changes.get("description") is not None:
        _text(changes["description"], "description", DESCRIPTION_LENGTH, empty=True)
    if changes.get("constraints") is not None:
        _constraints(changes["constraints"])
    if changes.get("confidence") is not None:
        validate_whole_number(changes["confidence"], "confidence", *CONFIDENCE)


def validate_state(state: Mapping[str, Any]) -> None:
    """Check keys to set in an intent's state: at least one, and all of it JSON."""
    _mapping(state, "state")
    if not state:
        raise InputValidationError("state cannot be empty", field="state")


def validate_patches(patches: Sequence[Mapping[str, Any]]) -> None:
    """Check patches of an intent's state (protocol I-3): `[{"op": "set", "path": "a", "value": 1}]`.

    `op` is set, append or remove; `path` a plain key, or a JSON Pointer if it starts with a slash.
    """
    if not patches:
        raise InputValidationError("patches cannot be empty", field="patches")
    for index, patch in enumerate(patches):
        _patch(patch, f"patches[{index}]")


def validate_event(event_type: str, payload: Mapping[str, Any] | None = None) -> None:
    """Check an event that a client logs: the form of its type, not one of the server's own (E-4), a JSON payload."""
    _text(event_type, "event_type", 100)
    if not EVENT_TYPE.fullmatch(event_type):
        raise InputValidationError(
            f"event_type must be lower-case letters, digits, '_', '.' or '-', and start with a letter; not {event_type!r}",
            field="event_type",
        )
    if event_type in SERVER_WRITTEN:
        raise InputValidationError(f"event_type {str(event_type)!r} is written by the server alone", field="event_type")
    if payload is not None:
        _mapping(payload, "payload")


def validate_events(events: Sequence[Mapping[str, Any]]) -> None:
    """Check a batch of events, each as `validate_event` does: 1 to 1,000, every one with an `event_type`."""
    if not 1 <= len(events) <= BATCH_SIZE:
        raise InputValidationError(f"events must be 1 to {BATCH_SIZE:,} at a time, not {len(events):,}", field="events")
    for index, event in enumerate(events):
        try:
            validate_event(event.get("event_type", ""), event.get("payload"))
        except InputValidationError as error:
            raise InputValidationError(f"events[{index}]: {error}", field=f"events[{index}].{error.field}") from None


def validate_lease_acquire(scope: str, duration_seconds: int = 300) -> None:
    """Check a lease to acquire (protocol L-1, L-2): a scope as `content.draft`, for 1 to 86,400 whole seconds."""
    _text(scope, "scope", SCOPE_LENGTH)
    if any(not level.strip() for level in scope.split(".")):
        raise InputValidationError(f"scope cannot have an empty level between its dots, as {scope!r} has", field="scope")
    validate_whole_number(duration_seconds, "duration_seconds", *LEASE_SECONDS)


def validate_retry_policy(**policy: Any) -> None:
    """Check the settings of a retry policy that are given, each as `set_retry_policy` takes it."""
    strategy = policy.get("strategy", RetryStrategy.NONE)
    if strategy not in list(RetryStrategy):
        raise InputValidationError(f"strategy must be one of {', '.join(RetryStrategy)}, not {strategy!r}", field="strategy")
    for name in policy.keys() & {"max_attempts", "failure_threshold"}:
        validate_whole_number(policy[name], name, *RETRIES)
    limits = {"base_delay_seconds": BASE_DELAY, "max_delay_seconds": MAX_DELAY, "backoff_multiplier": BACKOFF}
    for name in policy.keys() & limits.keys():
        _number(policy[name], name, *limits[name])
    _flag(policy.get("jitter", True), "jitter")
    errors = policy.get("retryable_errors", [])
    if isinstance(errors, str) or not isinstance(errors, Sequence) or len(errors) > RETRYABLE_ERRORS:
        raise InputValidationError(
            f"retryable_errors must be a list of at most {RETRYABLE_ERRORS} error types", field="retryable_errors"
        )
    for error_type in errors:
        _text(error_type, "retryable_errors", ERROR_TYPE_LENGTH)
    if "fallback_agent_id" in policy:
        validate_agent_id(policy["fallback_agent_id"], "fallback_agent_id")
    if policy.get("max_delay_seconds", MAX_DELAY[1]) < policy.get("base_delay_seconds", 1):
        raise InputValidationError("max_delay_seconds cannot be less than base_delay_seconds", field="max_delay_seconds")


def validate_failure(
    error_type: str,
    error_message: str | None = None,
    *,
    attempt: int | None = None,
    will_retry: bool | None = None,
    metadata: Mapping[str, Any] | None = None,
    agent_id: str | None = None,
) -> None:
    """Check a failure to record: an error type of 1 to 200 characters, an attempt from 1."""
    _text(error_type, "error_type", ERROR_TYPE_LENGTH)
    if error_message is not None:
        _text(error_message, "error_message", ERROR_MESSAGE_LENGTH, empty=True)
    if attempt is not None:
        validate_whole_number(attempt, "attempt", *ATTEMPT)
    if will_retry is not None:
        _flag(will_retry, "will_retry")
    if metadata is not None:
        _mapping(metadata, "metadata")
    if agent_id is not None:
        validate_agent_id(agent_id)


def validate_portfolio(**fields: Any) -> None:
    """Check the `name`, `description`, `governance_policy`, `metadata` and `created_by` of a portfolio, those that are given."""
    if "name" in fields:
        _text(fields["name"], "name", TITLE_LENGTH)
    if fields.get("description") is not None:
        _text(fields["description"], "description", DESCRIPTION_LENGTH, empty=True)
    for each in ("governance_policy", "metadata"):
        if each in fields:
            _mapping(fields[each], each)
    if "created_by" in fields:
        validate_agent_id(fields["created_by"], "created_by")


def validate_cost(cost_type: str, amount: "int | float | Decimal | str", unit: str = "USD") -> None:
    """Check a cost (protocol C-1): a kind, a unit, and an amount from 0 to 10^12 with at most 12 decimals.

    What binary arithmetic leaves behind is taken off: 0.1 + 0.2 is 0.3. A float with more than 15 digits of its own is refused,
    since it may not be the number that was meant: pass a Decimal or text.
    """
    _text(cost_type, "cost_type", 100)
    _text(unit, "unit", 32)
    number = exact_amount(amount)
    if not 0 <= number <= AMOUNT:
        raise InputValidationError(f"amount must be from 0 to {AMOUNT:,}, not {amount}", field="amount")
    _, _, exponent = number.normalize(_ALL_DIGITS).as_tuple()
    if not isinstance(exponent, int) or exponent < -AMOUNT_DECIMALS:
        raise InputValidationError(f"amount can have {AMOUNT_DECIMALS} decimals, so {amount} must be rounded", field="amount")


def validate_arbitration_request(
    reason: str,
    *,
    context: Mapping[str, Any] | None = None,
    options: Sequence[str | Mapping[str, Any]] | None = None,
) -> None:
    """Check a question to be decided: a reason, and at most 50 options whose labels differ, as text or as `{"label": …}`."""
    _text(reason, "reason", DESCRIPTION_LENGTH)
    if context is not None:
        _mapping(context, "context")
    labels = [option["label"] if isinstance(option, Mapping) and "label" in option else option for option in options or ()]
    for index, label in enumerate(labels):
        _text(label, f"options[{index}]", LABEL_LENGTH)
    if len(labels) > OPTIONS or len(set(labels)) < len(labels):
        raise InputValidationError(f"options must be at most {OPTIONS}, whose labels differ", field="options")


def validate_attachment(
    filename: str,
    content_type: str | None = None,
    *,
    storage_url: str | None = None,
    size: int | None = None,
    description: str | None = None,
) -> None:
    """Check what is said of a file: its name, its type as `text/csv`; of one that is kept elsewhere its URL and its size."""
    _text(filename, "filename", FILENAME_LENGTH)
    if _CONTROL.search(filename):
        raise InputValidationError("filename cannot contain control characters", field="filename")
    if content_type is not None:
        _text(content_type, "content_type", CONTENT_TYPE_LENGTH)
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise InputValidationError(f"content_type must be like text/csv, not {content_type!r}", field="content_type")
    if storage_url is not None:
        _storage_url(storage_url)
        if size is None:
            raise InputValidationError("size is needed with storage_url", field="size")
    if size is not None:
        validate_whole_number(size, "size", 0)
    if description is not None:
        _text(description, "description", DESCRIPTION_LENGTH, empty=True)


def validate_decision(decision: str, rationale: str | None = None) -> None:
    """Check a decision: text that says something, and why, if it is given."""
    _text(decision, "decision", DESCRIPTION_LENGTH)
    if rationale is not None:
        _text(rationale, "rationale", DESCRIPTION_LENGTH, empty=True)


def validate_agent_id(agent_id: str, field: str = "agent_id") -> None:
    """Check an agent's id: free text of 1 to 255 characters. `system` is the server itself (rule E-3)."""
    _text(agent_id, field, AGENT_ID_LENGTH)
    if agent_id == "system":
        raise InputValidationError(f"{field}: 'system' is the server itself; choose another name", field=field)


def validate_header(value: str, field: str) -> None:
    """Check what is sent in an HTTP header, an agent's id or an idempotency key, say.

    Printable ASCII of 1 to 255 characters that neither starts nor ends with a space: headers have no other
    encoding that all servers and proxies agree on. The message never repeats the value, it may be a key.
    """
    _text(value, field, 255)
    if not _HEADER.fullmatch(value):
        raise InputValidationError(
            f"{field} is sent in a header: it must be printable ASCII, without spaces around it",
            field=field,
        )


def validate_whole_number(value: int, field: str, least: int = 1, most: int | None = None) -> None:
    """Check an int from `least` to `most`. True and 1.0 are none."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        span = f"of at least {least}" if most is None else f"from {least:,} to {most:,}"
        raise InputValidationError(f"{field} must be a whole number {span}", field=field)


def validate_json(value: Any, field: str, *, depth: int = 0) -> None:
    """Check that a value arrives as it is sent (protocol §1 "JSON"), in every database.

    Allowed are None, bool, finite float, int within ±(2^53−1), str without NUL and lone surrogates, and
    mappings with str keys, lists and tuples of these; at most 64 deep, the `depth` containers around the
    value included. Anything else, a datetime or a Decimal, say, is refused rather than converted: its
    reader could not tell what it was.
    """
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _characters(value, field)
    elif isinstance(value, (int, float)):
        _json_number(value, field)
    elif isinstance(value, (Mapping, list, tuple)):
        if depth == JSON_DEPTH:
            raise InputValidationError(f"{field} is nested more than {JSON_DEPTH} deep", field=field)
        for inner, name in _members(value, field):
            validate_json(inner, name, depth=depth + 1)
    else:
        raise InputValidationError(f"{field} {_not_json(value)}", field=field)


def _members(value: Any, field: str) -> Iterable[tuple[Any, str]]:
    if not isinstance(value, Mapping):
        yield from ((inner, f"{field}[{index}]") for index, inner in enumerate(value))
        return
    for key, inner in value.items():
        if not isinstance(key, str):
            raise InputValidationError(f"{field} has a key that is not text: {key!r}", field=field)
        _characters(key, field)
        yield inner, f"{field}.{key}"


def _json_number(value: float, field: str) -> None:
    if isinstance(value, int):
        if abs(value) > JSON_INTEGER:
            raise InputValidationError(
                f"{field} is an integer beyond ±(2^53−1), which not every reader of JSON keeps; send text",
                field=field,
            )
    elif not math.isfinite(value):
        raise InputValidationError(f"{field} must be a finite number, not {value}", field=field)


def _not_json(value: object) -> str:
    kind = type(value)
    instead = next((text for known, text in _INSTEAD.items() if isinstance(value, known)), None)
    hint = f"; send {instead}" if instead else ""
    return f"is a {kind.__name__}, which JSON does not have{hint}"


def _number(value: Any, field: str, least: float, most: float) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
        raise InputValidationError(f"{field} must be a number from {least:,} to {most:,}", field=field)


def _flag(value: Any, field: str) -> None:
    if not isinstance(value, bool):
        raise InputValidationError(f"{field} must be True or False, not {value!r}", field=field)


def _storage_url(url: Any) -> None:
    _text(url, "storage_url", URL_LENGTH)
    if not url.isascii() or not _STORAGE_URL.fullmatch(url):  # The message does not repeat it: there may be a password in it.
        raise InputValidationError(
            "storage_url must be an http, https, s3 or gs URL, in ASCII and without a user name or password", field="storage_url"
        )


def _patch(patch: Any, field: str) -> None:
    _mapping(patch, field)
    op = patch.get("op")
    if op not in PATCH_OPS:
        raise InputValidationError(
            f"{field}.op must be {', '.join(PATCH_OPS[:-1])} or {PATCH_OPS[-1]}, not {op!r}",
            field=f"{field}.op",
        )
    if not isinstance(patch.get("path"), str):
        raise InputValidationError(f"{field}.path must be text", field=f"{field}.path")
    if op != "remove" and "value" not in patch:
        raise InputValidationError(f"{field} needs a value to {op}", field=f"{field}.value")


def _mapping(value: Any, field: str) -> None:
    if not isinstance(value, Mapping):
        raise InputValidationError(f"{field} must be a dict, not {type(value).__name__}", field=field)
    validate_json(value, field)


def _constraints(value: Any) -> None:
    if not isinstance(value, (Mapping, list, tuple)):
        raise InputValidationError(
            f"constraints must be a dict or a list of rules, not {type(value).__name__}",
            field="constraints",
        )
    validate_json(value, "constraints")


def exact_amount(amount: Any) -> Decimal:
    """The decimal that is meant by an amount. Raises InputValidationError."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float, Decimal, str)):
        raise InputValidationError(f"amount must be a number or text, not {type(amount).__name__}", field="amount")
    try:
        number = _meant_by(amount) if isinstance(amount, float) else Decimal(amount)
    except InvalidOperation:
        raise InputValidationError(f"amount must be a number, not {amount!r}", field="amount") from None
    if not number.is_finite():
        raise InputValidationError(f"amount must be a finite number, not {amount}", field="amount")
    return number


def _meant_by(amount: float) -> Decimal:
    exact = Decimal(repr(amount))
    if not exact.is_finite() or len(exact.normalize(_ALL_DIGITS).as_tuple().digits) <= FLOAT_DIGITS:
        return exact
    near = Decimal(f"{amount:.{FLOAT_DIGITS}g}").normalize()
    if len(near.as_tuple().digits) > CLEAN_DIGITS:
        raise InputValidationError(f"amount has more digits than a float keeps: pass Decimal({str(amount)!r})", field="amount")
    return near


def _text(value: Any, field: str, longest: int, *, empty: bool = False) -> None:
    if not isinstance(value, str):
        raise InputValidationError(f"{field} must be text, not {type(value).__name__}", field=field)
    if not empty and not value.strip():
        raise InputValidationError(f"{field} cannot be empty", field=field)
    if len(value) > longest:
        raise InputValidationError(
            f"{field} cannot be longer than {longest:,} characters; it has {len(value):,}",
            field=field,
        )
    _characters(value, field)


def _characters(value: str, field: str) -> None:
    if _NOT_TEXT.search(value):
        raise InputValidationError(f"{field} cannot contain NUL or lone surrogates", field=field)
