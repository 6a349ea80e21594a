"""Retries of calls, when they are safe and may help (protocol K-2)."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event

import pytest
from openintent import (
    ConflictError,
    ConnectionFailedError,
    NotFoundError,
    OpenIntentError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
)
from werkzeug import Response

from .samples import EVENT, INTENT

pytestmark = [pytest.mark.rule("K-2"), pytest.mark.database("sqlite")]

UNAVAILABLE = (503, {"code": "unavailable", "message": "The database is away."}, {})
BUSY = (409, {"code": "request_in_progress", "message": "Still running."}, {})


def hang_up(request):
    """Take the request and close the connection without an answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response()


@pytest.fixture
def hang(script):
    """An answer that does not come until the test is over."""
    over = Event()

    def wait(request):
        over.wait()
        return Response()

    yield wait
    over.set()


def create(client):
    return client.create_intent(title="Book flights")


def read(client):
    return client.get_intent(INTENT["id"])


def unassign(client):
    return client.unassign_agent(INTENT["id"], "ada")


def rename(client):
    return client.update_intent(INTENT["id"], 1, title="Book trains")


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize("act", [create, read, unassign, rename])
def test_request_rejected_as_unavailable_is_retried(client, script, slept, act, status):
    script.respond((status, {"code": "…"}, {}), (status, {"code": "…"}, {}), INTENT)

    act(client)

    assert len(script.seen) == 3
    assert len(slept) == 2


@pytest.mark.case("streams 17")
@pytest.mark.parametrize("status", [500, 502, 504, 520, 521, 522, 523, 524, 530])
def test_failure_on_the_way_is_retried_where_that_is_safe(client, script, status):
    for act in (create, read, unassign):
        script.respond((status, "<h1>Bad gateway</h1>", {}), INTENT)

        act(client)

    script.respond((status, {}, {}))
    with pytest.raises(ServerError):
        rename(client)
    assert len(script.seen) == 7
    assert script.seen[0].headers["Idempotency-Key"] == script.seen[1].headers["Idempotency-Key"]


def test_retry_delay_doubles_with_jitter(client, script, slept):
    script.respond(UNAVAILABLE, UNAVAILABLE, INTENT)

    create(client)

    assert 0.25 <= slept[0] <= 0.5
    assert 0.5 <= slept[1] <= 1.0


def test_third_failed_attempt_is_raised(client, script):
    script.respond(UNAVAILABLE, UNAVAILABLE, UNAVAILABLE)

    with pytest.raises(ServerError, match=r"The database is away\.") as caught:
        create(client)

    assert caught.value.code == "unavailable"
    assert len(script.seen) == 3


def test_max_tries_is_configurable(connect, script, slept):
    script.respond(UNAVAILABLE)

    with pytest.raises(ServerError):
        create(connect(script.url, max_tries=1))

    assert slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
def test_other_refusals_are_raised_without_retry(client, script, status):
    script.respond((status, {}, {}))

    with pytest.raises(OpenIntentError) as caught:
        create(client)

    assert caught.value.status_code == status
    assert len(script.seen) == 1


def test_retry_after_in_seconds_is_waited_for(client, script, slept):
    script.respond((429, {"code": "rate_limited"}, {"Retry-After": "7"}), INTENT)

    read(client)

    assert 7 < slept[0] <= 7.5


def test_retry_after_as_a_date_is_waited_for(client, script, slept):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    script.respond((503, {}, {"Retry-After": soon}), INTENT)

    read(client)

    assert 10 < slept[0] <= 20.5


@pytest.mark.case("security L6")
@pytest.mark.parametrize(
    "value",
    [
        "soon", "Mon, 32 Foo 2026", "-5", "nan", "inf", "1e999", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 2024 00:00:00 +9999", "Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 01 Jan 99999999999 00:00:00 GMT", "(" * 900, ",",
    ],
)  # fmt: skip
def test_invalid_retry_after_is_ignored(client, script, slept, value):
    script.respond((503, {}, {"Retry-After": value}), INTENT)

    read(client)

    assert slept[0] <= 0.5


def test_the_bodys_retry_after_counts_if_the_header_is_missing(client, script, slept):
    script.respond((429, {"code": "rate_limited", "retry_after": 3}, {}), INTENT)

    read(client)

    assert 3 < slept[0] <= 3.5


def test_retry_after_beyond_a_minute_is_left_to_the_caller(client, script, slept):
    script.respond((429, {"code": "rate_limited"}, {"Retry-After": "3600"}))

    with pytest.raises(RateLimitError) as caught:
        read(client)

    assert caught.value.retry_after == 3600
    assert slept == []


@pytest.mark.parametrize("act", [create, read, unassign])
def test_lost_response_is_retried(client, script, act):
    script.respond(hang_up, hang_up, INTENT)

    act(client)

    assert len(script.seen) == 3


@pytest.mark.parametrize("act", [create, read, unassign])
def test_timed_out_attempt_is_retried(connect, script, hang, act):
    script.respond(hang, INTENT)

    act(connect(script.url, timeout=0.2))

    assert len(script.seen) == 2


def test_retries_of_a_post_keep_its_idempotency_key_and_body(client, script):
    script.respond(hang_up, UNAVAILABLE, INTENT)

    create(client)

    assert len({seen.headers["Idempotency-Key"] for seen in script.seen}) == 1
    assert len({str(seen.body) for seen in script.seen}) == 1


def test_every_post_has_its_own_idempotency_key(client, script):
    script.respond(INTENT, INTENT)

    create(client)
    create(client)

    first, second = script.seen
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]


def test_the_caller_may_give_the_idempotency_key(client, script):
    script.respond(EVENT)

    client.log_event(INTENT["id"], "comment", idempotency_key="order-17")

    assert script.seen[0].headers["Idempotency-Key"] == "order-17"


def test_reads_carry_no_idempotency_key(client, script):
    script.respond(INTENT)

    read(client)

    assert "Idempotency-Key" not in script.seen[0].headers


def test_lost_write_without_idempotency_key_is_not_retried(client, script):
    script.respond(hang_up)

    with pytest.raises(ConnectionFailedError, match="may have been carried out") as caught:
        rename(client)

    assert caught.value.sent
    assert len(script.seen) == 1


def test_unsent_write_without_idempotency_key_is_retried(connect, slept):
    client = connect(f"http://127.0.0.1:{_closed_port()}")

    with pytest.raises(ConnectionFailedError) as caught:
        rename(client)

    assert not caught.value.sent
    assert len(slept) == 2


def test_own_earlier_attempt_in_progress_is_waited_for(client, script):
    script.respond(hang_up, BUSY, INTENT)

    create(client)

    assert len(script.seen) == 3


def test_request_in_progress_of_another_caller_is_raised(client, script):
    script.respond(BUSY)

    with pytest.raises(ConflictError) as caught:
        create(client)

    assert caught.value.code == "request_in_progress"
    assert len(script.seen) == 1


def test_conflict_after_a_retry_is_raised(client, script):
    script.respond(UNAVAILABLE, (409, {"code": "version_conflict", "current_version": 4}, {}))

    with pytest.raises(ConflictError) as caught:
        client.update_state(INTENT["id"], 3, {"a": 1})

    assert caught.value.current_version == 4


def test_no_server_is_a_connection_failure_that_says_where_and_why(connect):
    port = _closed_port()
    client = connect(f"http://127.0.0.1:{port}", "secret-key")

    with pytest.raises(ConnectionFailedError) as caught:
        read(client)

    message = str(caught.value)
    assert f"127.0.0.1:{port}" in message
    assert message.startswith("GET /api/v1/intents/")
    assert "refused" in message or "attempts failed" in message
    assert "secret-key" not in message
    assert caught.value.status_code is None


def test_connection_error_reports_its_own_cause_only(connect, script):
    script.respond(hang_up)
    client = connect(script.url, max_tries=1)

    try:
        raise KeyError("of the caller")
    except KeyError:
        with pytest.raises(ConnectionFailedError) as caught:
            read(client)

    assert "of the caller" not in str(caught.value)
    assert "without response" in str(caught.value) or "disconnected" in str(caught.value)


def test_no_answer_in_time_is_a_timeout(connect, script, hang):
    script.respond(hang)

    with pytest.raises(RequestTimeoutError) as caught:
        read(connect(script.url, timeout=1, max_tries=1))

    assert caught.value.sent


def test_each_page_of_a_list_has_its_own_retries(client, script):
    page = {"intents": [INTENT], "next": "c"}
    last = {"intents": [INTENT], "next": None}
    script.respond(UNAVAILABLE, UNAVAILABLE, page, UNAVAILABLE, hang_up, last)

    assert len(client.list_intents()) == 2


def test_not_found_is_not_retried(client, script):
    script.respond((404, {"code": "not_found", "message": "No such intent."}, {}))

    with pytest.raises(NotFoundError):
        read(client)

    assert len(script.seen) == 1


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
