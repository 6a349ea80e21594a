"""One call of a webhook: a POST to an address that a user gave (rules W-1, W-3).

The name is looked up once, in bounded time; all that it leads to is judged, and what is connected to is one of those very addresses.
So a name whose answer changes between two lookups gains nothing, nor does a URL that two parsers read differently.
"""

import logging
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from requests_hardened import Config, HTTPSession
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from subscriptions.webhooks import address_policy
from subscriptions.webhooks.address_policy import Address

LOOKING_UP = 5.0  # Seconds.
CONNECTING = 5.0  # Seconds, for each address of a name.
IN_ALL = 15.0  # Seconds from the first lookup to the last byte (rule W-1).
READ_AT_MOST = 64 * 2**10  # Bytes of an answer.
KEPT = 1024  # Bytes of it that are shown.
LONGEST_WAIT = 24 * 3600.0  # Seconds that a Retry-After may ask for.
USER_AGENT = "OpenIntent-Webhooks/1"
TOO_LONG = f"took longer than {IN_ALL:.0f} s"

log = logging.getLogger("openintent.webhooks")


@dataclass(frozen=True, slots=True)
class CallResult:
    """What came of a call: a status, or the reason why there is none."""

    milliseconds: int
    status: int | None = None
    error: str | None = None
    text: str | None = None
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def call(url: str, body: bytes, headers: Mapping[str, str]) -> CallResult:
    """Send the body, once. Redirects are not followed. Never raises: whatever goes wrong is a failed attempt."""
    begun = monotonic()
    fuse = _Deadline(IN_ALL)
    try:
        fuse.light()
        found = address_policy.resolve(urlsplit(url).hostname or "", LOOKING_UP)
        if not found:
            return CallResult(_since(begun), error=address_policy.UNRESOLVED)
        if not all(map(address_policy.is_allowed, found)):
            return CallResult(_since(begun), error=address_policy.REFUSED)
        return _sent(url, found, body, headers, fuse, begun)
    except Exception as error:  # An attempt that raised would leave no record, and be made again each minute for ever.
        if not isinstance(error, requests.RequestException | OSError | ValueError):
            log.warning("a webhook's call failed in an unforeseen way", exc_info=True)
        return CallResult(_since(begun), error=TOO_LONG if fuse.is_blown else _named(error))
    finally:
        fuse.close()


def _sent(
    url: str, found: Sequence[Address], body: bytes, headers: Mapping[str, str], fuse: "_Deadline", begun: float
) -> CallResult:
    sent = {**headers, "Content-Type": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
    with _session(found, fuse) as session, session.post(url, data=body, headers=sent, stream=True) as response:
        text = response.raw.read(READ_AT_MOST, decode_content=False) if response.raw else b""
        if fuse.is_blown:
            return CallResult(_since(begun), error=TOO_LONG)
        return CallResult(
            _since(begun),
            status=response.status_code,
            text=text[:KEPT].decode(errors="replace").replace("\0", "\ufffd"),
            retry_after=retry_after(response.headers.get("Retry-After")),
        )


class _Session(HTTPSession):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find none: requests would read all of the answer, however large it unpacks to, to be ready for the next request."""


def _session(found: Sequence[Address], fuse: "_Deadline") -> HTTPSession:
    config = Config(
        ip_filter_enable=False,  # subscriptions.webhooks.address_policy does it.
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECTING, IN_ALL),
        user_agent_override=USER_AGENT,
    )
    session = _Session(config)
    session.trust_env = False  # No proxies, and no passwords from a .netrc.
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(found, fuse))
    return session


class _Adapter(requests.adapters.HTTPAdapter):
    """Its connections lead to these addresses alone, and are cut when the fuse blows."""

    def __init__(self, found: Sequence[Address], fuse: "_Deadline") -> None:
        super().__init__()
        self._pinned = {"addresses": found, "fuse": fuse}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = type("Connection", (_PinnedConnection, pool.ConnectionCls), self._pinned)
        return pool


class _PinnedConnection:
    """Mixed into urllib3's connection, which goes on to name the host: in its header, and for its certificate."""

    addresses: Sequence[Address]
    fuse: "_Deadline"
    _dns_host: str

    def _new_conn(self) -> Any:
        made = self._connected()
        self.fuse.guard(made)
        return made

    def _connected(self) -> Any:
        """To the first of the addresses that takes the connection."""
        named = self._dns_host
        for left, address in enumerate(self.addresses, start=1 - len(self.addresses)):
            self._dns_host = str(address)
            try:
                return super()._new_conn()  # type: ignore[misc]
            except (NewConnectionError, ConnectTimeoutError):
                if left == 0 or self.fuse.is_blown:
                    raise
            finally:
                self._dns_host = named
        raise AssertionError("there is an address")


class _Deadline:
    """Cuts connections once the time is up. A receiver that sends a byte now and then never lets a read time out."""

    def __init__(self, seconds: float) -> None:
        self.is_blown = False
        self._guarded: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._blow)
        self._timer.daemon = True

    def light(self) -> None:
        self._timer.start()

    def guard(self, connection: socket.socket) -> None:
        with self._lock:
            self._guarded.append(connection.dup())  # TLS takes the descriptor away from the original.
        if self.is_blown:
            self._blow()

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._guarded:
                each.close()
            self._guarded.clear()

    def _blow(self) -> None:
        self.is_blown = True
        with self._lock:
            for each in self._guarded:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:  # The receiver was quicker.
                    continue


def retry_after(given: str | None) -> float | None:
    """Seconds, of a Retry-After in seconds or as a date; at most a day. None where it says nothing of use."""
    text = (given or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:10]), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT)
    except Exception:  # The parser raises whatever a zone, or a year, beyond reason makes it raise.
        return None


def _named(error: Exception) -> str:
    """In words that tell nothing of this side of the connection."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate, or the handshake, failed"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no connection within {CONNECTING:.0f} s"
    if isinstance(error, requests.exceptions.Timeout):
        return TOO_LONG
    if isinstance(error, requests.exceptions.ConnectionError) and "refused" in str(error):
        return "the connection was refused"
    return f"the connection failed ({type(error).__name__})"


def _since(begun: float) -> int:
    return round((monotonic() - begun) * 1000)
