"""Authentication and permissions of API requests (protocol §1.1)."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from access.identity import Caller, get_actor, get_caller
from access.key_lookup import DEV_KEYS, find_caller
from access.loopback import remote_origin_reason
from access.models import Role, Way
from core.api import throttling
from core.errors import Forbidden, Unauthenticated


class KeyAuthentication(BaseAuthentication):
    """Authentication by `X-API-Key: <key>` or `Authorization: Bearer <key>` (protocol §1.1)."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        return verify_key(key_from_headers(request.META), request.META), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="openintent"'


def authenticate_key(key: str, meta: Mapping[str, Any]) -> Caller:
    """Return the caller of the key and count the request. `meta` are the WSGI variables of the request.

    Raise Unauthenticated if the key is not valid, RateLimited if its limit is exceeded.
    """
    caller = verify_key(key, meta)
    throttling.count_request(caller.key_id)
    return caller


def verify_key(key: str, meta: Mapping[str, Any], way: Way = Way.API) -> Caller:
    """Return the caller of the key. Raise Unauthenticated if it is not valid, RateLimited after too many wrong keys."""
    if not key:
        raise Unauthenticated("No API key was sent. Send X-API-Key or Authorization: Bearer.")
    caller = find_caller(key, meta.get("REMOTE_ADDR", ""), way)
    if caller is None:
        raise Unauthenticated(
            "This is a key of dev mode, which is off because API keys exist. Use an API key."
            if key in DEV_KEYS
            else "The API key is unknown, expired or revoked."
        )
    if key in DEV_KEYS and (reason := remote_origin_reason(meta)):
        raise Unauthenticated(f"The keys of dev mode are valid on this machine only, and {reason}. Create an API key.")
    return caller


def key_from_headers(meta: Mapping[str, Any]) -> str:
    """Return the API key in the WSGI variables, or an empty text."""
    if key := meta.get("HTTP_X_API_KEY", "").strip():
        return key
    scheme, _, key = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


class HasRequiredRole(BasePermission):
    """Permission by role: observers read, agents write; a view with a `role` requires at least that."""

    def has_permission(self, request: Request, view: Any) -> bool:
        least = getattr(view, "role", None) or (Role.OBSERVER if request.method in SAFE_METHODS else Role.AGENT)
        role = get_caller(request).role
        if not role.includes(least):
            raise Forbidden(f"This requires the role {least.value}; the key has the role {role.value}.")
        return True


class MayActAsAgent(BasePermission):
    """Permission by X-Agent-ID: a key bound to an agent cannot act as another."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if "HTTP_X_AGENT_ID" in request.META:
            get_actor(request)
        return True


class KeyAuthenticationScheme(OpenApiAuthenticationExtension):
    target_class = KeyAuthentication
    name = ["apiKey", "bearer"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [{"type": "apiKey", "in": "header", "name": "X-API-Key"}, {"type": "http", "scheme": "bearer"}]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        return [{"apiKey": []}, {"bearer": []}]
