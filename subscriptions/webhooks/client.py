"""Webhook client: one POST to a user-supplied URL (rules W-1, W-3).

The name is resolved once, in bounded time; all of its addresses are checked, and the connection uses one of them.
So neither DNS rebinding nor a URL that two parsers read differently can bypass the address policy.
"""

import logging
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from requests_hardened import Config, HTTPSession
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from subscriptions.webhooks import address_policy
from subscriptions.webhooks.address_policy import Address

LOOKUP_TIMEOUT = 5.0  # Seconds.
CONNECT_TIMEOUT = 5.0  # Seconds per address.
TOTAL_TIMEOUT = 15.0  # Seconds from the first lookup to the last byte (rule W-1).
MAX_RESPONSE = 64 * 2**10  # Bytes that are read.
SHOWN_RESPONSE = 1024  # Bytes that are stored.
MAX_RETRY_AFTER = 24 * 3600.0  # Seconds.
USER_AGENT = "OpenIntent-Webhooks/1"
HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
"""Headers of every call, beside the User-Agent."""
TOO_LONG = f"took longer than {TOTAL_TIMEOUT:.0f} s"

log = logging.getLogger("openintent.webhooks")


@dataclass(frozen=True, slots=True)
class CallResult:
    """Result of a call: a status, or the error why there is none."""

    milliseconds: int
    status: int | None = None
    error: str | None = None
    text: str | None = None
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that differ from call to call."""

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def call(url: str, body: bytes, headers: Mapping[str, str]) -> CallResult:
    """Send the body once, without following redirects. Return a failed result instead of raising."""
    started = monotonic()
    deadline = Deadline(TOTAL_TIMEOUT)
    try:
        deadline.start()
        found = address_policy.resolve(urlsplit(url).hostname or "", LOOKUP_TIMEOUT)
        if not found:
            return CallResult(_since(started), error=address_policy.UNRESOLVED)
        if not all(map(address_policy.is_allowed, found)):
            return CallResult(_since(started), error=address_policy.REFUSED)
        return _post(url, found, body, headers, deadline, started)
    except Exception as error:  # An attempt that raised would leave no record and be repeated each minute for ever.
        if not isinstance(error, requests.RequestException | OSError | ValueError):
            log.warning("a webhook call failed unexpectedly", exc_info=True)
        return CallResult(_since(started), error=TOO_LONG if deadline.has_passed else describe_error(error))
    finally:
        deadline.close()


def _post(
    url: str, found: Sequence[Address], body: bytes, headers: Mapping[str, str], deadline: "Deadline", started: float
) -> CallResult:
    config = Config(
        ip_filter_enable=False,  # subscriptions.webhooks.address_policy does it.
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECT_TIMEOUT, TOTAL_TIMEOUT),
        user_agent_override=USER_AGENT,
    )
    session = _Session(config)
    session.trust_env = False  # No proxies, and no passwords from .netrc.
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(found, deadline))
    with session, session.post(url, data=body, headers={**headers, **HEADERS}, stream=True) as response:
        text = b""
        with suppress(HTTPError, OSError):  # The status has arrived, and says whether the delivery has.
            text = response.raw.read(MAX_RESPONSE, decode_content=False) if response.raw else b""
        if deadline.has_passed:
            return CallResult(_since(started), error=TOO_LONG)
        return CallResult(
            _since(started),
            status=response.status_code,
            text=text[:SHOWN_RESPONSE].decode(errors="replace").replace("\0", "\ufffd"),
            retry_after=retry_after(response.headers.get("Retry-After")),
        )


class _Session(HTTPSession):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: for a redirect, requests would read the whole response, however large it decompresses to."""


class _Adapter(requests.adapters.HTTPAdapter):
    """Adapter whose connections use these addresses only, and end at the deadline."""

    def __init__(self, found: Sequence[Address], deadline: "Deadline") -> None:
        super().__init__()
        self._pinned = {"addresses": found, "deadline": deadline}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = type("Connection", (_PinnedConnection, pool.ConnectionCls), self._pinned)
        return pool


class _PinnedConnection:
    """Mixin for urllib3's connection that pins its addresses; Host header and certificate check still use the name."""

    addresses: Sequence[Address]
    deadline: "Deadline"
    _dns_host: str

    def _new_conn(self) -> Any:
        """Connect to the first address that accepts the connection."""
        name = self._dns_host
        for left, address in enumerate(self.addresses, start=1 - len(self.addresses)):
            self._dns_host = str(address)
            try:
                connection = super()._new_conn()  # type: ignore[misc]
            except (NewConnectionError, ConnectTimeoutError):
                if left == 0 or self.deadline.has_passed:
                    raise
            else:
                self.deadline.watch(connection)
                return connection
            finally:
                self._dns_host = name
        raise AssertionError("there is an address")


class Deadline:
    """Deadline that shuts connections down: a receiver that sends a byte now and then never lets a read time out."""

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def watch(self, connection: socket.socket) -> None:
        """Shut the connection down at the deadline."""
        with self._lock:
            self._watched.append(connection.dup())  # TLS detaches the descriptor of the original.
        if self.has_passed:
            self._expire()

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._watched:
                each.close()
            self._watched.clear()

    def _expire(self) -> None:
        self.has_passed = True
        with self._lock:
            for each in self._watched:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:  # The receiver has closed it.
                    continue


def retry_after(given: str | None) -> float | None:
    """Return the seconds of a Retry-After (seconds or date), at most a day; None if it is invalid."""
    text = (given or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:10]), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), MAX_RETRY_AFTER)
    except Exception:  # The parser raises various errors for invalid zones and years.
        return None


def describe_error(error: Exception) -> str:
    """Return a description that reveals nothing about this side of the connection."""
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS certificate or handshake failed"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no connection within {CONNECT_TIMEOUT:.0f} s"
    if isinstance(error, requests.exceptions.Timeout):
        return TOO_LONG
    if isinstance(error, requests.exceptions.ConnectionError) and "refused" in str(error):
        return "the connection was refused"
    return f"the connection failed ({type(error).__name__})"


def _since(started: float) -> int:
    return round((monotonic() - started) * 1000)
