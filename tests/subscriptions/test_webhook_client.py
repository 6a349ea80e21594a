"""Webhook client: timeouts, response limits and invalid responses (rules W-1, W-3). The receivers are local."""

import gzip
import socket
import threading
import time
import tracemalloc
from contextlib import suppress

import pytest

from subscriptions.models import Subscription
from subscriptions.webhooks import client
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.subscriptions.webhook_receivers import comment, deliveries, subscribe

pytestmark = pytest.mark.rule("W-3")


# --- the time that a call may take ---


class Dripping:
    """A server that answers byte by byte, for ever: within the header, or within the body."""

    def __init__(self, opening: bytes) -> None:
        self.opening = opening
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection, self.listener:
            try:
                connection.sendall(self.opening)
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.02)
            except OSError:
                return


@pytest.mark.rule("W-1")
@pytest.mark.parametrize(
    "opening",
    [b"", b"HTTP/1.1 200 OK\r\nX-Header: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
)
def test_a_receiver_that_drips_is_cut(monkeypatch, opening):
    monkeypatch.setattr(client, "TOTAL_TIMEOUT", 0.5)
    begun = time.monotonic()

    answer = client.call(Dripping(opening).url, b"{}", {})

    assert (answer.status, answer.error) == (None, client.TOO_LONG)
    assert time.monotonic() - begun < 3


@pytest.mark.rule("W-1")
def test_no_more_of_an_answer_is_read_than_has_a_use(receiver):
    receiver.will_answer(200, text="x" * 10_000_000)

    answer = client.call(receiver.url, b"{}", {})

    assert (answer.status, len(answer.text)) == (200, client.SHOWN_RESPONSE)


# --- whatever a receiver answers is recorded ---


class RawReceiver:
    """A receiver that answers each call with these bytes, and closes: mostly before the body of the call has arrived."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            with connection:
                connection.recv(65_536)
                with suppress(OSError):
                    connection.sendall(self.answer)


DATE = "Mon, 01 Jan 2024 00:00:00"
RETRY_AFTER = [
    f"{DATE} +99999999999999999999", f"{DATE} -99999999999999999999", f"{DATE} +9999", "Mon, 01 Jan 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 01 Jan 99999999999 00:00:00 GMT", "1" * 5_000, "-1", "1e999", "nan", "inf", "0x10",
    "\u0661", "\xff\xfe", ",", ";", "()", "(" * 900, '"', "a b c d e f", "1 Jan", "Jan", "::::", f"{DATE} GMT" * 9, "0", "",
]  # fmt: skip


@pytest.mark.rule("W-1", "W-2")
@pytest.mark.case("security L6")
@pytest.mark.parametrize("given", RETRY_AFTER)
def test_an_odd_retry_after_is_a_recorded_attempt_on_the_usual_schedule(given):
    value = given.encode("utf-8")
    answer = client.call(RawReceiver(b"HTTP/1.1 503 No\r\nRetry-After: " + value + b"\r\n\r\n").url, b"{}", {})

    assert (answer.status, answer.error) == (503, None)
    assert answer.retry_after is None or 0 <= answer.retry_after <= client.MAX_RETRY_AFTER


ODD = [
    b"", b"\r\n\r\n", b"\0" * 100, b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"HTTP/1.1 99 No\r\n\r\n", b"HTTP/1.1 1000 No\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 50, b"HTTP/9.9 200 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000 + b": y\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    b"HTTP/1.1 503 No\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 503 No\r\nContent-Length: 5, 6\r\n\r\nhello",
    b"HTTP/1.1 503 No\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 60_000, b"HTTP/1.1 503 No\r\nContent-Encoding: gzip\r\n\r\nnot gzip",
    b"HTTP/1.1 302 No\r\nLocation: http://[::1\r\n\r\n", b"HTTP/1.1 302 No\r\nLocation: \xff\xfe://\r\n\r\n",
    b"HTTP/1.1 302 No\r\nLocation: http://10.0.0.1/\r\n\r\n", b"HTTP/1.1 503 No\r\nSet-Cookie: a=b; expires=" + b"9" * 5_000 + b"\r\n\r\n",
    b"HTTP/1.1 503 No\r\n: empty name\r\n\r\n", b"HTTP/1.1 503 N\xf6\r\nX: \xff\r\n\r\n\xff\0\xed\xa0\x80", b"\x16\x03\x01\x02\0\x01", b"SSH-2.0-x\r\n",
    b"HTTP/1.1 503 No\r\nContent-Type: text/html; charset=nothing\r\n\r\n<",
]  # fmt: skip


@pytest.mark.rule("W-1", "W-2")
@pytest.mark.case("security L6")
@pytest.mark.parametrize("said", ODD)
def test_invalid_response_is_a_recorded_failure_with_a_next_attempt(api, make_intent, monkeypatch, said):
    monkeypatch.setattr(client, "TOTAL_TIMEOUT", 2.0)
    intent = make_intent()
    subscription = subscribe(api, intent, RawReceiver(said).url)
    comment(api, intent)
    deliver_all_due()

    [delivery] = deliveries(api, subscription)
    [attempt] = delivery["history"]
    assert (delivery["status"], delivery["attempts"]) == ("pending", 1)
    assert delivery["next_attempt_at"] is not None
    assert (attempt["status_code"] is None) != (attempt["error"] is None)
    assert Subscription.objects.get().failing_since is not None


@pytest.mark.rule("W-2")
@pytest.mark.case("security L6")
def test_a_call_that_fails_in_an_unforeseen_way_is_a_recorded_failure(api, make_intent, receiver, monkeypatch):
    def fail(*_):
        raise OverflowError("who would have thought")

    monkeypatch.setattr(client, "_post", fail)
    intent = make_intent()
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()

    [delivery] = deliveries(api, subscription)
    assert (delivery["attempts"], delivery["history"][0]["error"]) == (1, "the connection failed (OverflowError)")


@pytest.mark.rule("W-1")
@pytest.mark.parametrize("status", [200, 302, 503])
def test_an_answer_that_unpacks_to_gigabytes_takes_no_memory(status):
    bomb = gzip.compress(bytes(200 * 2**20))
    said = b"HTTP/1.1 %d Boom\r\nLocation: http://127.0.0.1:1/\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (
        status,
        len(bomb),
    )
    server = RawReceiver(said + bomb)
    tracemalloc.start()
    try:
        assert client.call(server.url, b"{}", {}).status == status
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()
