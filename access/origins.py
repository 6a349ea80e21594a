"""Allowed origins of WebSocket handshakes, which browsers send across sites (protocol §1.1)."""

from urllib.parse import urlsplit

from django.conf import settings

_PORTS = {"http": 80, "https": 443}


def is_allowed(origin: str | None, host: str) -> bool:
    """Return whether the origin may connect: the host itself and OPENINTENT_CORS_ORIGINS. None: not a browser."""
    if origin is None or settings.CORS_ALLOW_ALL_ORIGINS or origin.lower() in map(str.lower, settings.CORS_ALLOWED_ORIGINS):
        return True
    scheme = origin.partition("://")[0].lower()
    named, own = _host_and_port(origin, scheme), _host_and_port(f"{scheme}://{host}", scheme)
    return named is not None and named == own


def _host_and_port(url: str, scheme: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    is_plain = parts.hostname and not (parts.username is not None or parts.path or parts.query or parts.fragment)
    return (str(parts.hostname), port or _PORTS[scheme]) if is_plain and scheme in _PORTS else None
