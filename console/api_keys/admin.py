"""API keys: created, shown once, rotated, revoked. Their secrets are not stored."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from access import services
from access.models import ApiKey, Role
from access.roles import actor_from_user, is_operator
from console.actions import ActionForm, action
from console.admin_mixins import OperatorPages
from console.api_keys.clients import connections, server_address
from console.api_keys.forms import ConnectForm, NewKeyForm, RotateForm
from console.changelist import ListAdmin
from console.filters import choice_filter
from core.db import database_now
from core.errors import ProtocolError

SOON = timedelta(days=7)
STATES = [("live", "Active"), ("soon", "Expires within a week"), ("ended", "Revoked or expired")]


def state_filter(value: str, now: datetime) -> Q:
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    return {"live": live, "soon": live & Q(expires_at__lte=now + SOON)}.get(value, ~live)


def ends_dev_mode(made: ApiKey | None = None) -> bool:
    """Return whether the first key, which is `made` if it exists, ends dev mode at the server's next start."""
    others = ApiKey.objects.live(database_now()).exclude(pk__in=[made.pk] if made else [])
    return settings.DEV_MODE and not settings.API_KEYS and not others.exists()


def key_state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at:
        return "revoked"
    if key.expires_at and key.expires_at <= now:
        return "expired"
    return "expires soon" if key.expires_at and key.expires_at <= now + SOON else "active"


@admin.register(ApiKey)
class ApiKeyAdmin(OperatorPages, ListAdmin):
    detail_template = "console/api_keys/detail.html"
    own_paths = (("<uuid:key_id>/rotate/", "rotate_view", "rotate"), ("connect/", "connect_view", "connect"))
    list_template = "console/api_keys/list_rows.html"
    search_label = "Search by name, agent or key prefix"
    list_filter = [
        choice_filter("state", "state", STATES, state_filter),
        choice_filter("role", "role", Role.choices, lambda role, now: Q(role=role)),
    ]
    search_fields = ["name", "agent_id", "prefix"]
    actions = ["revoke"]
    refresh_seconds = list_refresh_seconds = 60
    event_types = list_event_types = "nothing"

    def list_context(self, request: HttpRequest, found: list[ApiKey]) -> dict[str, Any]:
        now = database_now()
        return {"rows": [(each, key_state(each, now)) for each in found], "may_make": is_operator(request)}

    def detail_context(self, request: HttpRequest, obj: ApiKey) -> dict[str, Any]:
        state = key_state(obj, database_now())
        is_live = state not in ("revoked", "expired")
        return {"key": obj, "state": state, "may_rotate": is_live and is_operator(request)}

    def is_offered(self, request: HttpRequest, name: str, obj: ApiKey) -> bool:
        return obj.revoked_at is None

    def rotate_view(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        return self.rotate(request, [get_object_or_404(ApiKey, pk=key_id)]) or redirect("admin:access_apikey_change", key_id)

    def connect_view(self, request: HttpRequest) -> HttpResponse:
        return self.connect(request, [None]) or redirect("admin:access_apikey_changelist")

    def render_connect_form(
        self, request: HttpRequest, key: None, form: ActionForm, refusal: ProtocolError | None
    ) -> HttpResponse:
        return self.page(
            request, "console/api_keys/connect.html", title="Connect an agent", form=form, ends_dev_mode=ends_dev_mode()
        )

    def render_create_form(
        self, request: HttpRequest, key: None, form: ActionForm, refusal: ProtocolError | None
    ) -> HttpResponse:
        return self.page(
            request, "console/api_keys/create.html", title="Create API key", form=form, ends_dev_mode=ends_dev_mode()
        )

    def render_rotate_form(
        self, request: HttpRequest, key: ApiKey, form: ActionForm, refusal: ProtocolError | None
    ) -> HttpResponse:
        if refusal:
            messages.error(request, f"{key}: {refusal.detail}")
            return redirect("admin:access_apikey_change", key.pk)
        return self.page(request, "console/api_keys/rotate.html", title="Rotate API key", form=form, key=key, original=key)

    @action("Create", role=Role.OPERATOR, form=NewKeyForm, page=render_create_form)
    def create(self, request: HttpRequest, _: None, **given: Any) -> HttpResponse:
        key, secret = services.create_key(
            name=given["name"],
            role=Role(given["role"]),
            agent_id=given["agent_id"] or None,
            expires_at=given["expires_at"],
            created_by=actor_from_user(request).id,
        )
        about = {"key": key, "secret": secret, "ends_dev_mode": ends_dev_mode(key)}
        return self.page(request, "console/api_keys/created.html", title="New API key", **about)

    @action("Connect", role=Role.OPERATOR, form=ConnectForm, page=render_connect_form)
    def connect(self, request: HttpRequest, _: None, *, agent_id: str, expires_at: datetime | None) -> HttpResponse:
        key, secret = services.create_key(
            name=agent_id, role=Role.AGENT, agent_id=agent_id, expires_at=expires_at, created_by=actor_from_user(request).id
        )
        clients = connections(server_address(request), secret)
        about = {"key": key, "secret": secret, "ends_dev_mode": ends_dev_mode(key)}
        return self.page(request, "console/api_keys/connected.html", title="Connect an agent", clients=clients, **about)

    @action("Rotate", role=Role.OPERATOR, form=RotateForm, page=render_rotate_form)
    def rotate(self, request: HttpRequest, key: ApiKey, *, ends_at: datetime) -> HttpResponse:
        new, secret = services.rotate_key(key_id=key.pk, created_by=actor_from_user(request).id, ends_at=ends_at)
        old = ApiKey.objects.get(pk=key.pk)
        return self.page(request, "console/api_keys/created.html", title="New API key", key=new, secret=secret, old=old)

    @action(
        "Revoke",
        "Revoke selected API keys",
        role=Role.OPERATOR,
        done="Revoked",
        warning="Programs that use a revoked key lose access within seconds. This can't be undone.",
    )
    def revoke(self, request: HttpRequest, key: ApiKey) -> None:
        services.revoke_key(key_id=key.pk, revoked_by=actor_from_user(request).id)
