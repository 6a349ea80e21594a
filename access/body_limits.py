"""Whose bodies are read, and how much of them, before Django has seen the request (protocol §1 "Bounded work")."""

import re
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.http import parse_cookie

from access.authentication import key_from_headers, verify_key
from access.key_lookup import DEV_KEYS, is_verified
from core.api.exception_handler import to_protocol_error
from core.errors import ProtocolError
from core.serving.wsgi_bridge import request_meta

MAX_ANONYMOUS_BODY = 64 * 2**10
"""Bytes that anybody may send, as they do to sign in."""
_API, _CONSOLE = "/api/", "/admin/"
_ATTACHMENTS = re.compile(r"/api/v1/intents/[^/]+/attachments")


def max_body(scope: Any) -> int:
    """Return how many bytes the body of such a request may have, whoever sends it."""
    path = scope["path"]
    if path.startswith(_API):
        is_upload = scope["method"] == "POST" and _ATTACHMENTS.fullmatch(path)
        return settings.MAX_ATTACHMENT_BODY if is_upload else settings.MAX_BODY
    return settings.MAX_BODY if path.startswith(_CONSOLE) else MAX_ANONYMOUS_BODY


def known_limit(scope: Any) -> int | None:
    """Return how many bytes this caller may send, if that can be told without asking the database."""
    path = scope["path"]
    if path.startswith(_API):
        key = key_from_headers(request_meta(scope))
        return (
            max_body(scope) if key not in DEV_KEYS and is_verified(key) else None
        )  # Those of dev mode are for some requests only.
    return None if path.startswith(_CONSOLE) else MAX_ANONYMOUS_BODY


def looked_up_limit(scope: Any) -> int:
    """Return the same by asking the database. Raises Unauthenticated, Unavailable."""
    try:
        if scope["path"].startswith(_API):
            meta = request_meta(scope)
            verify_key(key_from_headers(meta), meta)
            return max_body(scope)
        return max_body(scope) if _is_signed_in(scope) else MAX_ANONYMOUS_BODY
    except ProtocolError:
        raise
    except Exception as error:
        connection.close()  # It may be broken, and Django looks after it at the end of a request only.
        raise to_protocol_error(error) from None


def _is_signed_in(scope: Any) -> bool:
    cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    return SESSION_KEY in session
