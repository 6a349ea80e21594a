"""Which addresses may be called (rule W-3). What users name must not reach what only this machine, or its network, can.

`is_public` judges one address. It is asked at creation, and again of the very address that a delivery connects to
(subscriptions.webhooks.client): a name may answer with another one each time.
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
"""An http or https URL in ASCII, without user, password and fragment in front of its path."""

IN_A_REQUEST = 0.5  # Seconds that a request waits for a name: whoever calls the API waits for none that does not answer.
REQUESTS_WAITING = 2  # At once. The others do not wait at all.
LOOKUPS_OF_REQUESTS, LOOKUPS_OF_CALLS = 16, 256  # At once. The system's resolver takes half a minute to give a name up.

REFUSED = "leads to a private, loopback, link-local or otherwise special address"
UNRESOLVED = "its name cannot be resolved"

_SPECIAL_4 = [
    ip_network("192.0.0.0/24"),  # IETF protocols
    ip_network("192.88.99.0/24"),  # 6to4 relays
]
_GLOBAL_6 = ip_network("2000::/3")  # All that has been given out: what lies outside is local, special, or will be.
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
"""Where clouds tell their machines about themselves, credentials included, beside the link-local 169.254.169.254."""
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")


def is_always_blocked(address: Address) -> bool:
    """Whether nobody's callback lies there, whatever the settings say: link-local, or a cloud's metadata service."""
    inner = _wrapped(address)
    if inner is not None and is_always_blocked(inner):
        return True
    return address.is_link_local or any(address in net for net in _METADATA)


def _wrapped(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to, where there is one."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the internet."""
    if is_always_blocked(address):
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:  # The system connects to what is wrapped.
            return is_public(address.ipv4_mapped)
        return address in _GLOBAL_6 and address.is_global and not any(address in net for net in _SPECIAL_6)
    return address.is_global and not address.is_multicast and not any(address in net for net in _SPECIAL_4)


def is_allowed(address: Address) -> bool:
    """As the settings say: all but those that are never called, public ones only, or those and this machine (dev mode)."""
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
    """What speaks against calling this URL, or None. A name that cannot be resolved at once is judged when it is called.

    Waits for the lookup, though not for long: keep it out of transactions.
    """
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return "has no valid IPv6 address in its brackets"
    found = _known(name) or _looked_up_in_a_request(name)
    return REFUSED if not all(map(is_allowed, found)) else None


def resolve(name: str, patience: float) -> Sequence[Address]:
    """All that the name leads to now; none where it cannot be resolved, or not within so many seconds."""
    return _known(name) or _calls.look_up(name, patience)


def _known(name: str) -> Sequence[Address]:
    """What needs no lookup."""
    if literal := _literal(name):
        return [literal]
    return [IPv4Address("127.0.0.1")] if _is_localhost(name) else []


def _looked_up_in_a_request(name: str) -> Sequence[Address]:
    if not _waiting.acquire(blocking=False):
        return []
    try:
        return _requests.look_up(name, IN_A_REQUEST)
    finally:
        _waiting.release()


def _literal(name: str) -> Address | None:
    """An address in any spelling that a resolver takes for one: 127.1, 2130706433, 0x7f.0.0.1, 0177.0.0.1."""
    try:
        return ip_address(name)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None


def _is_localhost(name: str) -> bool:
    """RFC 6761: whatever a resolver may say."""
    return name.rstrip(".").lower().rpartition(".")[2] == "localhost"


class _Lookups:
    """The system's resolver knows no time limit, so it is asked in threads that may be left alone, so many at once."""

    def __init__(self, at_once: int) -> None:
        self._free = threading.BoundedSemaphore(at_once)

    def look_up(self, name: str, patience: float) -> Sequence[Address]:
        deadline = monotonic() + patience
        if not self._free.acquire(timeout=patience):
            return []
        answer: SimpleQueue[Sequence[Address]] = SimpleQueue()
        try:
            threading.Thread(target=self._resolve, args=[name, answer], name="lookup", daemon=True).start()
        except RuntimeError:  # The system gives no more threads.
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
        except (OSError, ValueError):  # ValueError: a name that cannot be one.
            answer.put([])
        finally:
            self._free.release()


_requests, _calls = _Lookups(LOOKUPS_OF_REQUESTS), _Lookups(LOOKUPS_OF_CALLS)
_waiting = threading.BoundedSemaphore(REQUESTS_WAITING)
