"""One call of a webhook: a POST to an address that a user gave (rules W-1, W-3).

The name is looked up in bounded time, and all that it leads to is judged. requests-hardened then looks it up again, refuses what
it knows to be private, and connects to exactly the address that it found; that one is judged once more. So a name whose
answer changes between two lookups gains nothing.
"""

import logging
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.exceptions import HTTPError

from subscriptions import addresses

CONNECTING = 5.0  # Seconds.
IN_ALL = 15.0  # Seconds from the first lookup to the last byte (rule W-1).
READ_AT_MOST = 64 * 2**10  # Bytes of an answer.
KEPT = 1024  # Bytes of it that are shown.
LONGEST_WAIT = 24 * 3600.0  # Seconds that a Retry-After may ask for.
USER_AGENT = "OpenIntent-Webhooks/1"
TOO_LONG = f"took longer than {IN_ALL:.0f} s"

logging.getLogger("requests_hardened").setLevel(logging.ERROR)  # What it refuses, the delivery's history tells.


@dataclass(frozen=True, slots=True)
class Answer:
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


def call(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send the body, once. Redirects are not followed. Never raises for what the receiver or the network does."""
    begun = monotonic()
    fuse = _Fuse(IN_ALL)
    try:
        if reason := _refusal(url):
            return Answer(_since(begun), error=reason)
        return _sent(url, body, headers, fuse, begun)
    except InvalidIPAddress:
        return Answer(_since(begun), error=addresses.REFUSED)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:  # ValueError: a URL or an answer beyond parsing.
        return Answer(_since(begun), error=TOO_LONG if fuse.is_blown else _named(error))
    finally:
        fuse.close()


def _refusal(url: str) -> str | None:
    found = addresses.addresses_of(urlsplit(url).hostname or "")
    if not found:
        return addresses.UNRESOLVED
    return None if all(map(addresses.is_allowed, found)) else addresses.REFUSED


def _sent(url: str, body: bytes, headers: Mapping[str, str], fuse: "_Fuse", begun: float) -> Answer:
    sent = {**headers, "Content-Type": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
    with _session(fuse) as session, session.post(url, data=body, headers=sent, stream=True) as response:
        text = response.raw.read(READ_AT_MOST, decode_content=False) if response.raw else b""
        if fuse.is_blown:
            return Answer(_since(begun), error=TOO_LONG)
        return Answer(
            _since(begun),
            status=response.status_code,
            text=text[:KEPT].decode(errors="replace").replace("\0", "\ufffd"),
            retry_after=retry_after(response.headers.get("Retry-After")),
        )


def _session(fuse: "_Fuse") -> HTTPSession:
    config = Config(
        ip_filter_enable=False,  # The adapters below do it.
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECTING, IN_ALL),
        user_agent_override=USER_AGENT,
    )
    session = HTTPSession(config)
    session.trust_env = False  # No proxies, and no passwords from a .netrc.
    session.mount("http://", _adapter(fuse, is_https=False))
    session.mount("https://", _adapter(fuse, is_https=True))
    return session


def _adapter(fuse: "_Fuse", *, is_https: bool) -> Any:
    if settings.WEBHOOK_ALLOW_PRIVATE:
        return _Adapter(fuse)
    return _PinningAdapter(fuse, is_https_proto=is_https, allow_loopback=settings.DEV_MODE)


class _Fused:
    """Of a requests adapter: its connections are cut when the fuse blows."""

    def __init__(self, fuse: "_Fuse", **options: Any) -> None:
        super().__init__(**options)
        self._fuse = fuse

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)  # type: ignore[misc]
        pool.ConnectionCls = type("Connection", (_FusedConnection, pool.ConnectionCls), {"fuse": self._fuse})
        return pool


class _Adapter(_Fused, requests.adapters.HTTPAdapter):
    pass


class _PinningAdapter(_Fused, IPFilterAdapter):
    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        if not addresses.is_allowed(ip_address(host["host"].strip("[]"))):
            raise InvalidIPAddress(host["host"])
        return host, pool


class _FusedConnection:
    fuse: "_Fuse"

    def _new_conn(self) -> Any:
        made = super()._new_conn()  # type: ignore[misc]
        self.fuse.guard(made)
        return made


class _Fuse:
    """Cuts connections once the time is up. A receiver that sends a byte now and then never lets a read time out."""

    def __init__(self, seconds: float) -> None:
        self.is_blown = False
        self._guarded: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._blow)
        self._timer.daemon = True
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
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT)


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
