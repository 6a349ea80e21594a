"""Limits of request bodies by path and caller, before Django handles the request (protocol §1 "Bounded work")."""

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
"""Bytes that an unauthenticated client may send, for example to sign in."""
_API, _CONSOLE = ("/api/", "/mcp"), "/admin/"
_ATTACHMENTS = re.compile(r"/api/v1/intents/[^/]+/attachments")


def max_body(scope: Any) -> int:
    """Return the limit of bytes for any caller."""
    path = scope["path"]
    if path.startswith(_API):
        is_upload = scope["method"] == "POST" and _ATTACHMENTS.fullmatch(path)
        return settings.MAX_ATTACHMENT_BODY if is_upload else settings.MAX_BODY
    return settings.MAX_BODY if path.startswith(_CONSOLE) else MAX_ANONYMOUS_BODY


def known_limit(scope: Any) -> int | None:
    """Return the limit of this caller, or None if it needs a database query."""
    path = scope["path"]
    if path.startswith(_API):
        key = key_from_headers(request_meta(scope))
        return max_body(scope) if key not in DEV_KEYS and is_verified(key) else None  # Dev keys are valid for some requests only.
    return None if path.startswith(_CONSOLE) else MAX_ANONYMOUS_BODY


def looked_up_limit(scope: Any) -> int:
    """Return the limit of this caller, with database queries. Raise Unauthenticated if the key is not valid."""
    try:
        if scope["path"].startswith(_API):
            meta = request_meta(scope)
            verify_key(key_from_headers(meta), meta)
            return max_body(scope)
        cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
        session = import_module(settings.SESSION_ENGINE).SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
        return max_body(scope) if SESSION_KEY in session else MAX_ANONYMOUS_BODY
    except ProtocolError:
        raise
    except Exception as error:
        connection.close()  # It may be broken; Django checks it at the end of a request only.
        raise to_protocol_error(error) from None
