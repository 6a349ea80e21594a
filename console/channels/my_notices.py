"""My notices: how a person is told of questions, and what they choose for it themselves."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from access import user_services
from access.models import Role
from access.roles import actor_from_user, has_role
from console.actions import INPUT
from console.channels.forms import WhenForm
from console.channels.pages import channel_state, masked_target
from console.notices.pages import SHOWN, notice_rows
from core.db import database_now
from core.errors import ProtocolError
from notices import services
from notices.models import Channel, ChannelStatus, Notice
from notices.recipients import is_email_configured


class AddressForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="You are told by e-mail of questions for which you have no channel of your own.",
        widget=forms.EmailInput(attrs={**INPUT, "autocomplete": "email"}),
    )


def list_page(request: HttpRequest) -> HttpResponse:
    """Show how the person is told; a POST sets their address. Raise PermissionDenied without a role."""
    me = _principal(request)
    person = User.objects.get(username=request.user.get_username())
    form = AddressForm(request.POST if request.method == "POST" else None, initial={"email": person.email})
    if request.method == "POST" and form.is_valid():
        user_services.set_email(person_id=person.pk, email=form.cleaned_data["email"])
        messages.success(request, "Your address was saved." if form.cleaned_data["email"] else "Your address was removed.")
        return redirect("admin:console_my_notices")
    own = Channel.objects.not_removed().filter(owner=me).order_by("pk")
    default = Channel.objects.not_removed().filter(is_default=True).first()
    context = {
        "title": "My notices",
        "form": form,
        "address": person.email,
        "is_mail_sent": is_email_configured() and (default is None or default.status == ChannelStatus.ACTIVE),
        "channels": [(each, channel_state(each), masked_target(each)) for each in own],
        "notices": notice_rows(Notice.objects.filter(to=me).order_by("-pk")[:SHOWN], database_now()),
    }
    return _page(request, "console/notices/mine.html", context)


def channel_page(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Change, test, disable or enable a channel of the person's own. Raise Http404 for another one."""
    channel = Channel.objects.not_removed().filter(pk=channel_id, owner=_principal(request)).first()
    if channel is None:
        raise Http404("You have no such channel.")
    is_sent = request.method == "POST"
    if is_sent and (chosen := request.POST.get("do")):
        return _do(request, channel, chosen)
    form = WhenForm(request.POST if is_sent else None, obj=channel)
    if is_sent and form.is_valid():
        try:
            services.update_channel(channel_id=channel.pk, actor=actor_from_user(request), changes=form.cleaned_data)
        except ProtocolError as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"{channel.name} was changed.")
            return redirect("admin:console_my_notices")
    return _page(request, "console/notices/my_channel.html", {"title": "My notices", "form": form, "channel": channel})


def _do(request: HttpRequest, channel: Channel, chosen: str) -> HttpResponse:
    statuses = {"enable": ChannelStatus.ACTIVE, "disable": ChannelStatus.DISABLED}
    try:
        if chosen == "test":
            services.create_test_notice(channel_id=channel.pk)
            messages.success(request, f"A test is sent by {channel.name}.")
        elif chosen in statuses:
            changes = {"status": statuses[chosen]}
            services.update_channel(channel_id=channel.pk, actor=actor_from_user(request), changes=changes)
            messages.success(request, f"{channel.name} was {chosen}d.")
    except ProtocolError as refusal:
        messages.error(request, refusal.detail)
    return redirect("admin:console_my_notices")


def _principal(request: HttpRequest) -> str:
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    return actor_from_user(request).principal


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    context = {**admin.site.each_context(request), "now": database_now(), **context}
    return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})
