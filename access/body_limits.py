"""Whose bodies are read, and how much of them, before Django has seen the request (protocol §1 "Bounded work")."""

import re
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.http import parse_cookie

from access.authentication import key_of, verified
from access.key_lookup import DEV_KEYS, is_verified
from core.api.exception_handler import as_refusal
from core.errors import ProtocolError
from core.serving.wsgi_bridge import request_meta

ANYBODY = 64 * 2**10
"""Bytes that anybody may send, as they do to sign in."""
_API, _CONSOLE = "/api/", "/admin/"
_ATTACHMENTS = re.compile(r"/api/v1/intents/[^/]+/attachments")


def most(scope: Any) -> int:
    """Return how many bytes the body of such a request may have, whoever sends it."""
    path = scope["path"]
    if path.startswith(_API):
        is_upload = scope["method"] == "POST" and _ATTACHMENTS.fullmatch(path)
        return settings.MAX_ATTACHMENT_BODY if is_upload else settings.MAX_BODY
    return settings.MAX_BODY if path.startswith(_CONSOLE) else ANYBODY


def at_once(scope: Any) -> int | None:
    """Return how many bytes this caller may send, if that can be told without asking the database."""
    path = scope["path"]
    if path.startswith(_API):
        key = key_of(request_meta(scope))
        return most(scope) if key not in DEV_KEYS and is_verified(key) else None  # Those of dev mode are for some requests only.
    return None if path.startswith(_CONSOLE) else ANYBODY


def asked(scope: Any) -> int:
    """Return the same by asking the database. Raises Unauthenticated, Unavailable."""
    try:
        if scope["path"].startswith(_API):
            meta = request_meta(scope)
            verified(key_of(meta), meta)
            return most(scope)
        return most(scope) if _is_signed_in(scope) else ANYBODY
    except ProtocolError:
        raise
    except Exception as error:
        connection.close()  # It may be broken, and Django looks after it at the end of a request only.
        raise as_refusal(error) from None


def _is_signed_in(scope: Any) -> bool:
    cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    return SESSION_KEY in session
