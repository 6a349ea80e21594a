"""Exceptions for error responses, chosen by code and then by status (protocol §2)."""

import copy
import pickle

import pytest
from openintent import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    InputValidationError,
    LeaseConflictError,
    NotFoundError,
    OpenIntentError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    ValidationError,
)

from .samples import INTENT

CODES = [
    (400, "invalid", ValidationError),
    (400, "dependency_cycle", ValidationError),
    (400, "illegal_transition", ValidationError),
    (400, "invalid_patch", ValidationError),
    (401, "unauthenticated", AuthenticationError),
    (403, "forbidden", PermissionDeniedError),
    (403, "agent_mismatch", PermissionDeniedError),
    (403, "not_lease_holder", PermissionDeniedError),
    (403, "self_decision", PermissionDeniedError),
    (403, "reserved_event_type", PermissionDeniedError),
    (404, "not_found", NotFoundError),
    (409, "version_conflict", ConflictError),
    (409, "completion_gate", ConflictError),
    (409, "arbitration_resolved", ConflictError),
    (409, "duplicate_member", ConflictError),
    (409, "budget_exceeded", ConflictError),
    (409, "request_in_progress", ConflictError),
    (409, "lease_conflict", LeaseConflictError),
    (409, "lease_lost", LeaseConflictError),
    (409, "lease_expired", LeaseConflictError),
    (413, "too_large", ValidationError),
    (422, "idempotency_key_reused", ValidationError),
    (428, "version_required", ValidationError),
    (429, "rate_limited", RateLimitError),
    (500, "internal", ServerError),
    (503, "unavailable", ServerError),
]

STATUSES = [
    (400, ValidationError),
    (401, AuthenticationError),
    (403, PermissionDeniedError),
    (404, NotFoundError),
    (405, OpenIntentError),
    (409, ConflictError),
    (418, OpenIntentError),
    (429, RateLimitError),
    (502, ServerError),
    (599, ServerError),
]


def refused(connect, script, status, body, headers=None):
    script.respond((status, body, headers or {}))
    with pytest.raises(OpenIntentError) as caught:
        connect(script.url, "secret-key", max_tries=1).get_intent(INTENT["id"])
    return caught.value


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_error_code_selects_the_exception(connect, script, status, code, kind):
    body = {"code": code, "message": "So it is.", "detail": "So it is.", "x": 1}

    error = refused(connect, script, status, body)

    assert type(error) is kind
    assert (error.status_code, error.code, error.message) == (status, code, "So it is.")
    assert str(error) == "So it is."
    assert error.response == body


@pytest.mark.parametrize(("status", "kind"), STATUSES)
@pytest.mark.parametrize("body", [{"code": "new_code", "detail": "No."}, "<html>No.</html>", None])
def test_an_unknown_code_is_judged_by_its_status(connect, script, status, kind, body):
    error = refused(connect, script, status, body)

    assert type(error) is kind
    assert error.status_code == status
    assert "No." in str(error) if isinstance(body, dict) else f"HTTP {status}" in str(error)


def test_a_lease_conflict_is_not_a_version_conflict():
    assert not issubclass(LeaseConflictError, ConflictError)


def test_error_properties_expose_the_codes_members(connect, script):
    lease = {"agent_id": "bob", "scope": "flights"}
    errors = [{"field": "title", "message": "is required", "code": "required"}]

    held = refused(connect, script, 409, {"code": "lease_conflict", "existing_lease": lease})
    stale = refused(connect, script, 409, {"code": "version_conflict", "current_version": 4})
    gated = refused(connect, script, 409, {"code": "completion_gate", "waiting_for": ["a"]})
    invalid = refused(connect, script, 400, {"code": "invalid", "errors": errors})

    assert held.existing_lease == lease
    assert stale.current_version == 4
    assert gated.waiting_for == ["a"]
    assert invalid.errors == errors


def test_missing_members_are_empty():
    assert ConflictError("x").current_version is None
    assert ConflictError("x").waiting_for == []
    assert LeaseConflictError("x").existing_lease is None
    assert ValidationError("x").errors == []


def test_redirect_is_rejected_without_sending_the_key(connect, script):
    error = refused(connect, script, 302, None, {"Location": f"{script.url}/elsewhere"})

    assert error.status_code == 302
    assert "/elsewhere" in str(error)
    assert len(script.seen) == 1


@pytest.mark.parametrize("answer", ["<html>Welcome to the hotel</html>", [], {"id": 1}, "{", None])
def test_success_outside_the_protocol_is_an_error(client, script, answer):
    script.respond((200, answer, {}))

    with pytest.raises(OpenIntentError, match=r"Is base_url the address") as caught:
        client.get_intent(INTENT["id"])

    assert str(caught.value).startswith("GET /api/v1/intents/")


@pytest.mark.parametrize(
    "error",
    [
        ConflictError("Stale.", status_code=409, code="version_conflict", response={"a": 1}),
        RateLimitError("Slowly.", status_code=429, retry_after=3.0),
        InputValidationError("title cannot be empty", field="title"),
        ConnectionFailedError("Gone.", sent=False),
        RequestTimeoutError("Late."),
    ],
)
@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_errors_survive_copying_and_pickling(error, clone):
    twin = clone(error)

    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert vars(twin) == vars(error)


def test_an_error_shows_what_it_is():
    error = ConflictError("Stale.", status_code=409, code="version_conflict")

    assert repr(error) == "ConflictError('Stale.', status_code=409, code='version_conflict')"
    assert repr(ConnectionFailedError("Gone.")) == "ConnectionFailedError('Gone.')"


def test_the_key_is_in_no_error_and_no_repr(connect, script):
    client = connect(script.url, "secret-key")
    error = refused(connect, script, 401, {"code": "unauthenticated", "message": "Who?"})

    assert "secret-key" not in repr(client)
    while error:
        assert "secret-key" not in f"{error!r} {vars(error)}"
        error = error.__cause__ or error.__context__
