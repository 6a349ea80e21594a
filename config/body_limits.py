"""Whose bodies are read, and how much of them, before Django has seen the request (protocol §1 "Bounded work")."""

import re
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.http import parse_cookie

from access.authentication import key_of
from access.keys import find_caller, is_verified
from config.errors import ProtocolError, Unauthenticated
from config.problems import as_refusal

ANYBODY = 64 * 2**10
"""Bytes that anybody may send, as they do to sign in."""
_API, _CONSOLE = "/api/", "/admin/"
_ATTACHMENTS = re.compile(r"/api/v1/intents/[^/]+/attachments")


def most(scope: Any) -> int:
    """Return how many bytes the body of such a request may have, whoever sends it."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if path.startswith(_API):
        is_upload = scope["method"] == "POST" and _ATTACHMENTS.fullmatch(path)
        return settings.MAX_ATTACHMENT_BODY if is_upload else settings.MAX_BODY
    return settings.MAX_BODY if path.startswith(_CONSOLE) else ANYBODY


def at_once(scope: Any) -> int | None:
    """Return how many bytes this caller may send, if that can be told without asking the database."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if path.startswith(_API):
        return most(scope) if is_verified(_key(scope)) else None
    return None if path.startswith(_CONSOLE) else ANYBODY


def asked(scope: Any) -> int:
    """Return the same by asking the database. Raises Unauthenticated, Unavailable."""
    try:
        if scope["path"].removeprefix(scope.get("root_path", "")).startswith(_API):
            if find_caller(_key(scope)) is None:
                raise Unauthenticated("The API key is missing, wrong, expired or revoked.")
            return most(scope)
        return most(scope) if _is_signed_in(scope) else ANYBODY
    except ProtocolError:
        raise
    except Exception as error:
        connection.close()  # It may be broken, and Django looks after it at the end of a request only.
        raise as_refusal(error) from None


def _key(scope: Any) -> str:
    headers = dict(scope["headers"])
    named = {"HTTP_X_API_KEY": b"x-api-key", "HTTP_AUTHORIZATION": b"authorization"}
    return key_of({name: headers.get(header, b"").decode("latin-1") for name, header in named.items()})


def _is_signed_in(scope: Any) -> bool:
    cookies = parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    session = import_module(settings.SESSION_ENGINE).SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    return SESSION_KEY in session
