"""The server below a path of its site (OPENINTENT_ROOT_PATH), as `https://site.example/oi`.

Inside, paths have no prefix: what comes in loses it here, at the front door, and what is said to clients gets it here.
"""

from typing import Any

from django.conf import settings


def public_path(path: str) -> str:
    """Return one of the server's paths as clients ask for it."""
    return f"{settings.ROOT_PATH}{path}"


def strip_root_path(scope: Any) -> Any:
    """Return an ASGI scope with the prefix in `root_path` alone (WSGI calls it SCRIPT_NAME).

    In ASGI `path` begins with `root_path`; most proxies that are told to serve a prefix cut it off. Both are taken.
    """
    path: str = scope["path"]
    if path == settings.ROOT_PATH or path.startswith(f"{settings.ROOT_PATH}/"):
        path = path[len(settings.ROOT_PATH) :] or "/"
    return {**scope, "path": path, "root_path": settings.ROOT_PATH}
