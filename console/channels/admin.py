"""Channels: listed, created, changed, tested, switched off and on, removed. For operators, as in the API."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from access.models import Role
from access.roles import actor_from_user, is_operator
from console.actions import action
from console.admin_mixins import OperatorPages, form_page
from console.changelist import ListAdmin
from console.channels import pages
from console.channels.forms import ChangeChannelForm, CreateChannelForm
from console.filters import choice_filter
from console.notices.admin import POLL_SECONDS
from core.db import database_now
from notices import services
from notices.models import Channel, ChannelKind, ChannelStatus

_STATES = [*ChannelStatus.choices, ("failing", "Failing")]


def state_filter(state: str, _: Any) -> Q:
    return Q(failing_since__isnull=False) if state == "failing" else Q(status=state)


@admin.register(Channel)
class ChannelAdmin(OperatorPages, ListAdmin):
    list_display = ["name"]
    list_filter = [choice_filter("state", "state", _STATES, state_filter)]
    search_fields = ["name", "owner"]
    search_label = "Search by name or owner"
    ordering = ["pk"]
    actions = ["test", "enable", "disable", "remove"]
    own_paths = (("<uuid:channel_id>/edit/", "edit_view", "edit"),)
    list_template = "console/channels/list_rows.html"
    detail_template = "console/channels/detail.html"
    refresh_seconds = list_refresh_seconds = POLL_SECONDS
    event_types = list_event_types = "nothing"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_operator(request)

    has_module_permission = has_view_permission

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        return super().get_queryset(request).filter(removed_at=None)

    def return_url(self, request: HttpRequest) -> str | None:
        """Return no path after a removal: the page of what was removed is gone."""
        return None if request.POST.get("action") == "remove" else super().return_url(request)

    def list_context(self, request: HttpRequest, found: list[Channel]) -> dict[str, Any]:
        return {"rows": [(each, pages.channel_state(each), pages.masked_target(each)) for each in found]}

    def detail_context(self, request: HttpRequest, obj: Channel) -> dict[str, Any]:
        return {**pages.channel_detail(obj, database_now()), "may_resend": True}

    def is_offered(self, request: HttpRequest, name: str, obj: Channel) -> bool:
        is_active = obj.status == ChannelStatus.ACTIVE
        return {"test": is_active and not obj.is_default, "enable": not is_active, "disable": is_active}.get(
            name, not obj.is_default
        )

    def edit_view(self, request: HttpRequest, channel_id: UUID) -> HttpResponse:
        channel = get_object_or_404(self.get_queryset(request), pk=channel_id)
        return self.edit(request, [channel])

    @action(
        "Create", role=Role.OPERATOR, form=CreateChannelForm, page=form_page("console/channels/create.html", "Create channel")
    )
    def create(self, request: HttpRequest, _: None, **given: Any) -> HttpResponse:
        channel = services.create_channel(actor=actor_from_user(request), **given)
        if channel.kind == ChannelKind.WEBHOOK:
            return self.page(request, "console/channels/created.html", title="New channel", channel=channel)
        messages.success(request, f"The channel {channel.name} was created.")
        return redirect("admin:notices_channel_change", channel.pk)

    @action(
        "Change",
        role=Role.OPERATOR,
        form=ChangeChannelForm,
        page=form_page("console/channels/edit.html", "Change channel", name="channel"),
    )
    def edit(self, request: HttpRequest, channel: Channel, **changes: Any) -> HttpResponse:
        services.update_channel(channel_id=channel.pk, actor=actor_from_user(request), changes=changes)
        messages.success(request, "The channel was changed.")
        return redirect("admin:notices_channel_change", channel.pk)

    @action("Send a test", "Send a test by selected channels", role=Role.OPERATOR)
    def test(self, request: HttpRequest, channel: Channel) -> str:
        services.create_test_notice(channel_id=channel.pk)
        return f"A test is sent by {channel.name}."

    @action("Enable", "Enable selected channels", role=Role.OPERATOR, done="Enabled")
    def enable(self, request: HttpRequest, channel: Channel) -> None:
        set_status(request, channel, ChannelStatus.ACTIVE)

    @action(
        "Disable",
        "Disable selected channels",
        role=Role.OPERATOR,
        done="Disabled",
        warning="Nobody is told by it until it is enabled again. What was sent is kept.",
    )
    def disable(self, request: HttpRequest, channel: Channel) -> None:
        set_status(request, channel, ChannelStatus.DISABLED)

    @action(
        "Remove",
        "Remove selected channels",
        role=Role.OPERATOR,
        done="Removed",
        warning="Pending notices are not sent any more. This can't be undone.",
    )
    def remove(self, request: HttpRequest, channel: Channel) -> None:
        services.remove_channel(channel_id=channel.pk, actor=actor_from_user(request))


def set_status(request: HttpRequest, channel: Channel, status: ChannelStatus) -> None:
    services.update_channel(channel_id=channel.pk, actor=actor_from_user(request), changes={"status": status})
