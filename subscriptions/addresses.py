"""Which addresses may be called (rule W-3). What users name must not reach what only this machine, or its network, can.

`is_public` judges one address. It is asked at creation, and again of the very address that a delivery connects to
(subscriptions.calling): a name may answer with another one each time.
"""

import socket
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
URL = rf"\Ahttps?://({_LABEL}(\.{_LABEL}){{0,20}}\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(:{_PORT})?([/?][!-~]*)?\Z"
"""An http or https URL in ASCII, without user, password and fragment in front of its path."""

PATIENCE = 3.0  # Seconds for a name to be looked up.
LOOKUPS_AT_ONCE = 16

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

_looking = threading.BoundedSemaphore(LOOKUPS_AT_ONCE)


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the internet."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:  # The system connects to what is wrapped.
            return is_public(address.ipv4_mapped)
        return address in _GLOBAL_6 and address.is_global and not any(address in net for net in _SPECIAL_6)
    return address.is_global and not address.is_multicast and not any(address in net for net in _SPECIAL_4)


def is_allowed(address: Address) -> bool:
    """As the settings say: all, public ones only, or those and this machine (dev mode)."""
    if settings.WEBHOOK_ALLOW_PRIVATE or is_public(address):
        return True
    return settings.DEV_MODE and is_loopback(address)


def is_loopback(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def refusal(url: str) -> str | None:
    """What speaks against calling this URL, or None. A name that cannot be resolved now is judged when it is called.

    Waits for the lookup, though not for long: keep it out of transactions.
    """
    try:
        found = addresses_of(urlsplit(url).hostname or "")
    except ValueError:
        return "has no valid IPv6 address in its brackets"
    return REFUSED if found and not all(map(is_allowed, found)) else None


def addresses_of(name: str) -> Sequence[Address]:
    """All that the name leads to now; none where it cannot be resolved, or not in time."""
    if literal := _literal(name):
        return [literal]
    if _is_localhost(name):
        return [IPv4Address("127.0.0.1")]
    return _look_up(name)


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


def _look_up(name: str) -> Sequence[Address]:
    """The system's resolver knows no time limit, so it is asked in a thread that may be left alone."""
    if not _looking.acquire(blocking=False):
        return []
    answer: SimpleQueue[Sequence[Address]] = SimpleQueue()
    threading.Thread(target=_resolve, args=[name, answer], name="lookup", daemon=True).start()
    try:
        return answer.get(timeout=PATIENCE)
    except Empty:
        return []


def _resolve(name: str, answer: "SimpleQueue[Sequence[Address]]") -> None:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        answer.put([ip_address(str(each[4][0])) for each in found])
    except (OSError, ValueError):  # ValueError: a name that cannot be one.
        answer.put([])
    finally:
        _looking.release()
