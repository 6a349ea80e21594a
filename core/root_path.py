"""Path prefix of the server (OPENINTENT_ROOT_PATH), as in `https://site.example/oi`.

The prefix is removed from incoming paths and added to paths in responses; all other code works without it.
"""

from typing import Any

from django.conf import settings


def public_path(path: str) -> str:
    """Return a path with the prefix, as clients request it."""
    return f"{settings.ROOT_PATH}{path}"


def strip_root_path(scope: Any) -> Any:
    """Return an ASGI scope with the prefix in `root_path` alone (WSGI calls it SCRIPT_NAME).

    In ASGI `path` begins with `root_path`; most proxies with a prefix remove it. Both forms are accepted.
    """
    path: str = scope["path"]
    if path == settings.ROOT_PATH or path.startswith(f"{settings.ROOT_PATH}/"):
        path = path[len(settings.ROOT_PATH) :] or "/"
    return {**scope, "path": path, "root_path": settings.ROOT_PATH}
