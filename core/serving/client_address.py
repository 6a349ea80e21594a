"""Client address of a request, behind proxies."""

import logging
from functools import cache

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger("openintent.proxy")


def client_address(request: HttpRequest) -> str:
    """Return the client's address; empty if a proxy that FORWARDED_ALLOW_IPS does not list hides it.

    uvicorn sets REMOTE_ADDR to the forwarded address if it trusts the proxy. Otherwise REMOTE_ADDR is the proxy's, the same
    for all clients: a limit per address would then let one client use up the share of all.
    """
    peer: str = request.META["REMOTE_ADDR"]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if not settings.BEHIND_TLS or forwarded is None:
        return peer
    for entry in map(str.strip, forwarded.split(",")):  # With or without a port.
        if entry in (peer, f"[{peer}]") or entry.startswith((f"{peer}:", f"[{peer}]:")):
            return peer
    _warn_once(peer)
    return ""


@cache
def _warn_once(peer: str) -> None:
    log.warning(
        "%s forwards requests and is not trusted: sign-in attempts are not counted by address. Add it to FORWARDED_ALLOW_IPS",
        peer,
    )
