"""The address from which a request came, where proxies stand in between."""

import logging
from functools import cache

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger("openintent.proxy")


def client_address(request: HttpRequest) -> str:
    """Return the client's address; empty where it is hidden by a proxy that FORWARDED_ALLOW_IPS does not name.

    The server in front (uvicorn) has put the forwarded address into REMOTE_ADDR where it trusts the proxy. Where it does not, REMOTE_ADDR is
    the proxy's own, the same for everybody: whoever counts by it lets one client use up what all have.
    """
    peer: str = request.META["REMOTE_ADDR"]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if not settings.BEHIND_TLS or forwarded is None:
        return peer
    if any(_names(entry.strip(), peer) for entry in forwarded.split(",")):
        return peer
    _warn(peer)
    return ""


def _names(entry: str, address: str) -> bool:
    """Whether an entry of X-Forwarded-For, with or without a port, is this address."""
    return entry in (address, f"[{address}]") or entry.startswith((f"{address}:", f"[{address}]:"))


@cache
def _warn(peer: str) -> None:
    """Say it once for each proxy."""
    log.warning(
        "%s passes on requests and is not trusted: attempts to sign in are not counted by address. Name it in FORWARDED_ALLOW_IPS",
        peer,
    )
