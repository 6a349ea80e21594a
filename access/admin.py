from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from access import services
from access.models import ApiKey, Role
from access.people import actor_of, may
from console.actions import action
from console.admin import ReadOnlyAdmin


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys are made here, shown once, and revoked. Their secrets are kept nowhere."""

    list_display = ["name", "role", "agent_id", "prefix", "state", "last_used_at", "expires_at", "created_by"]
    list_filter = ["role"]
    search_fields = ["name", "agent_id", "prefix"]
    fields = ["name", "role", "agent_id", "prefix", "created_by", "created_at", "expires_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, Role.OPERATOR)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        return "expired" if key.expires_at and key.expires_at <= timezone.now() else "live"

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return super().get_fields(request, obj) if obj else ["name", "role", "agent_id", "expires_at"]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        row, request.new_secret = services.create_key(  # type: ignore[attr-defined]
            name=obj.name,
            role=Role(obj.role),
            agent_id=obj.agent_id or None,
            expires_at=obj.expires_at,
            created_by=actor_of(request).id,
        )
        obj.pk = row.pk

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The key itself, on a page that nobody keeps: not in a message, which would travel in a cookie."""
        context = {**self.admin_site.each_context(request), "title": "The new key", "key": obj, "secret": request.new_secret}  # type: ignore[attr-defined]
        return TemplateResponse(request, "access/new_key.html", context, headers={"Cache-Control": "no-store"})

    def offers(self, request: HttpRequest, name: str, obj: ApiKey) -> bool:
        return obj.revoked_at is None

    @action(
        "Revoke the selected keys",
        least=Role.OPERATOR,
        done="Revoked",
        warning="Whoever uses such a key is locked out within seconds. A revoked key stays revoked.",
    )
    def revoke(self, request: HttpRequest, key: ApiKey) -> None:
        services.revoke_key(key_id=key.pk)
