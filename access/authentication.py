"""DRF's view of a caller."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from access import ratelimit
from access.identity import Caller, get_actor, get_caller
from access.key_lookup import DEV_KEYS, find_caller
from access.loopback import remote_origin_reason
from access.models import Role
from core.errors import Forbidden, Unauthenticated


class KeyAuthentication(BaseAuthentication):
    """`X-API-Key: <key>` or `Authorization: Bearer <key>` (protocol §1.1)."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        return authenticate_key(key_from_headers(request.META), request.META), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="openintent"'


def authenticate_key(key: str, meta: Mapping[str, Any]) -> Caller:
    """Whose key it is; that it was used counts. `meta` is the request that it came with, as WSGI has it.

    Raises Unauthenticated, RateLimited.
    """
    caller = verify_key(key, meta)
    ratelimit.spend(caller.key_id)
    return caller


def verify_key(key: str, meta: Mapping[str, Any]) -> Caller:
    """The same, without counting. Raises Unauthenticated, and RateLimited where too many wrong keys have come."""
    if not key:
        raise Unauthenticated("No API key. Send one as X-API-Key or as Authorization: Bearer.")
    caller = find_caller(key, meta.get("REMOTE_ADDR", ""))
    if caller is None:
        raise Unauthenticated(
            "This key is for dev mode, which is off, as API keys exist. Use one of them."
            if key in DEV_KEYS
            else "The API key is wrong, expired or revoked."
        )
    if key in DEV_KEYS and (reason := remote_origin_reason(meta)):
        raise Unauthenticated(f"The keys of dev mode are for this machine alone, and {reason}. Make an API key, and use that.")
    return caller


def key_from_headers(meta: Mapping[str, Any]) -> str:
    """The key among the headers, as WSGI has them; empty without one."""
    if key := meta.get("HTTP_X_API_KEY", "").strip():
        return key
    scheme, _, key = meta.get("HTTP_AUTHORIZATION", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


class HasRequiredRole(BasePermission):
    """Everyone reads, agents write; a view with a `role` needs at least that."""

    def has_permission(self, request: Request, view: Any) -> bool:
        least = getattr(view, "role", None) or (Role.OBSERVER if request.method in SAFE_METHODS else Role.AGENT)
        role = get_caller(request).role
        if not role.includes(least):
            raise Forbidden(f"This needs a key of the role {least.value}; this one is {role.value}.")
        return True


class MayActAsAgent(BasePermission):
    """Whatever is asked, a key that is bound to an agent cannot pass for another."""

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
