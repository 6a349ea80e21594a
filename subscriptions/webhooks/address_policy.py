"""Address policy of callbacks (rule W-3): user-supplied URLs must not reach this machine, or its network.

`is_allowed` checks one address, at creation and again for the very address that a delivery connects to
(subscriptions.webhooks.client), because a name may resolve differently each time.
"""

import socket
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from time import monotonic
from urllib.parse import urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
URL = rf"\Ahttps?://({_LABEL}(\.{_LABEL}){{0,20}}\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(:{_PORT})?([/?][!-~]*)?\Z"
"""Pattern of an http or https URL in ASCII, without user and password."""

REQUEST_LOOKUP_TIMEOUT = 0.5  # Seconds that an API request waits for a name.
MAX_WAITING_REQUESTS = 2  # Concurrent requests that wait for a name. Others do not wait at all.
LOOKUPS_OF_REQUESTS, LOOKUPS_OF_CALLS = 16, 256  # Concurrent lookups. The system's resolver gives up after half a minute.

REFUSED = "leads to a private, loopback, link-local or otherwise special address"
UNRESOLVED = "its name cannot be resolved"

_SPECIAL_4 = [
    ip_network("192.0.0.0/24"),  # IETF protocols
    ip_network("192.88.99.0/24"),  # 6to4 relays
]
_GLOBAL_6 = ip_network("2000::/3")  # All allocated addresses; others are local, special, or not allocated.
_SPECIAL_6 = [
    ip_network("2001::/23"),  # IETF protocols, among them Teredo, which wraps an IPv4 address
    ip_network("2001:db8::/32"),  # documentation
    ip_network("2002::/16"),  # 6to4, which wraps an IPv4 address
    ip_network("3fff::/20"),  # documentation
]

_METADATA = [
    ip_network("168.63.129.16/32"),  # Azure
    ip_network("100.100.100.200/32"),  # Alibaba
    ip_network("192.0.0.192/32"),  # Oracle
    ip_network("fd00:ec2::/32"),  # AWS
    ip_network("fd20:ce::/32"),  # Google
]
"""Cloud metadata services, which return credentials, besides the link-local 169.254.169.254."""
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")


def is_always_blocked(address: Address) -> bool:
    """Return whether the address is blocked under any settings: link-local, or a cloud's metadata service."""
    if isinstance(address, IPv6Address):
        if address in _NAT64 or address in _COMPATIBLE:
            embedded: IPv4Address | None = IPv4Address(int(address) & 0xFFFFFFFF)
        else:
            embedded = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if embedded is not None and is_always_blocked(embedded):
            return True
    return address.is_link_local or any(address in net for net in _METADATA)


def is_public(address: Address) -> bool:
    """Return whether it is a public address."""
    if is_always_blocked(address):
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:  # The system connects to the embedded address.
            return is_public(address.ipv4_mapped)
        return address in _GLOBAL_6 and address.is_global and not any(address in net for net in _SPECIAL_6)
    return address.is_global and not address.is_multicast and not any(address in net for net in _SPECIAL_4)


def is_allowed(address: Address) -> bool:
    """Return whether the settings allow the address: public ones, in dev mode also this machine, or all that are not always blocked."""
    if is_always_blocked(address):
        return False
    if settings.WEBHOOK_ALLOW_PRIVATE or is_public(address):
        return True
    return settings.DEV_MODE and is_loopback(address)


def is_loopback(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def callback_problem(url: str) -> str | None:
    """Return the reason why the URL is not allowed, or None. A name that is not resolved in time is checked at the call.

    It waits for the lookup: call it outside of transactions.
    """
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return "has no valid IPv6 address in its brackets"
    found = _resolve_locally(name)
    if not found and _waiting_requests.acquire(blocking=False):
        try:
            found = _request_lookups.look_up(name, REQUEST_LOOKUP_TIMEOUT)
        finally:
            _waiting_requests.release()
    return REFUSED if not all(map(is_allowed, found)) else None


def resolve(name: str, patience: float) -> Sequence[Address]:
    """Return the addresses of the name; none if it is not resolved within `patience` seconds."""
    return _resolve_locally(name) or _call_lookups.look_up(name, patience)


def _resolve_locally(name: str) -> Sequence[Address]:
    """Return the address of a literal in any spelling (127.1, 2130706433, 0x7f.0.0.1, 0177.0.0.1) or of localhost (RFC 6761)."""
    try:
        return [ip_address(name)]
    except ValueError:
        pass
    try:
        return [IPv4Address(socket.inet_aton(name))]
    except OSError:
        is_localhost = name.rstrip(".").lower().rpartition(".")[2] == "localhost"
        return [IPv4Address("127.0.0.1")] if is_localhost else []


class _Lookups:
    """Lookups with a timeout: the system's resolver has none, so it runs in threads that may be abandoned."""

    def __init__(self, limit: int) -> None:
        self._free = threading.BoundedSemaphore(limit)

    def look_up(self, name: str, patience: float) -> Sequence[Address]:
        """Return the addresses of the name; none if it is not resolved in time."""
        deadline = monotonic() + patience
        if not self._free.acquire(timeout=patience):
            return []
        answer: SimpleQueue[Sequence[Address]] = SimpleQueue()
        try:
            threading.Thread(target=self._resolve, args=[name, answer], name="lookup", daemon=True).start()
        except RuntimeError:  # The system has no more threads.
            self._free.release()
            return []
        try:
            return answer.get(timeout=max(deadline - monotonic(), 0))
        except Empty:
            return []

    def _resolve(self, name: str, answer: "SimpleQueue[Sequence[Address]]") -> None:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            answer.put([*dict.fromkeys(ip_address(str(each[4][0])) for each in found)])
        except (OSError, ValueError):  # ValueError: not a valid name.
            answer.put([])
        finally:
            self._free.release()


_request_lookups, _call_lookups = _Lookups(LOOKUPS_OF_REQUESTS), _Lookups(LOOKUPS_OF_CALLS)
_waiting_requests = threading.BoundedSemaphore(MAX_WAITING_REQUESTS)
