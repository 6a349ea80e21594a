"""Whether a request comes from this machine, to this machine, and by no web page: dev mode is for nothing else (protocol §1.1)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from core.env import is_loopback

_FORWARDING = {
    "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_CLIENT_IP", "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP", "HTTP_CF_RAY", "HTTP_CDN_LOOP", "HTTP_X_ORIGINAL_HOST", "HTTP_X_ORIGINAL_FORWARDED_FOR",
    "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_FLY_CLIENT_IP",
}  # fmt: skip
"""What proxies and tunnels add, beside all that begins with X-Forwarded. That they do, even empty, is enough."""


def remote_origin_reason(meta: Mapping[str, Any]) -> str | None:
    """Return what tells that somebody else may have sent the request, whose headers are as WSGI has them; None where nothing does.

    The peer's address alone is not enough: a page in this machine's browser, a name that was turned to this machine and a
    tunnel all come from it.
    """
    if not is_loopback(meta.get("REMOTE_ADDR", "")):
        return f"the request comes from {meta.get('REMOTE_ADDR') or 'an unknown address'}"
    for name in meta:
        if name.startswith("HTTP_X_FORWARDED") or name in _FORWARDING:
            return f"it was passed on by a proxy or a tunnel ({name.removeprefix('HTTP_').replace('_', '-').title()})"
    host, origin = meta.get("HTTP_HOST", ""), meta.get("HTTP_ORIGIN")
    if not is_loopback(_name(f"//{host}")):
        return f"it is addressed to the host {host[:100]!r}"
    if origin is not None and not is_loopback(_name(origin)):
        return f"it comes from a page of {origin[:100]!r}"
    return None


@lru_cache(maxsize=1_000)
def _name(url: str) -> str:
    """The host that the URL names; empty where it names none, or more than a host and a port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    is_plain = not (parts.username is not None or parts.path or parts.query or parts.fragment or "," in parts.netloc)
    return (parts.hostname or "") if is_plain else ""
