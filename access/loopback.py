"""Loopback check for keys of dev mode: requests from this machine, to this machine, and not from other web pages (protocol §1.1)."""

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
"""Headers of proxies and tunnels, in addition to X-Forwarded-*; even empty ones count."""


def remote_origin_reason(meta: Mapping[str, Any]) -> str | None:
    """Return the reason why the request may come from elsewhere, or None.

    The peer's address is not enough: a page in this machine's browser, a rebound name and a tunnel all come from it.
    """
    if not is_loopback(meta.get("REMOTE_ADDR", "")):
        return f"the request comes from {meta.get('REMOTE_ADDR') or 'an unknown address'}"
    for name in meta:
        if name.startswith("HTTP_X_FORWARDED") or name in _FORWARDING:
            return f"it was forwarded by a proxy or tunnel ({name.removeprefix('HTTP_').replace('_', '-').title()})"
    host, origin = meta.get("HTTP_HOST", ""), meta.get("HTTP_ORIGIN")
    if not is_loopback(_host(f"//{host}")):
        return f"it is addressed to the host {host[:100]!r}"
    if origin is not None and not is_loopback(_host(origin)):
        return f"it comes from a page of {origin[:100]!r}"
    return None


@lru_cache(maxsize=1_000)
def _host(url: str) -> str:
    """Return the host of a URL; empty if it has none, or more than host and port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    is_plain = not (parts.username is not None or parts.path or parts.query or parts.fragment or "," in parts.netloc)
    return (parts.hostname or "") if is_plain else ""
