"""Forms of channels: to create one, to change it, and for a person's own (rule H-6)."""

import re
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.models import User

from console.actions import INPUT
from console.api_form import ApiForm
from core.api.serializers import StrictSerializer
from governance.models import Urgency
from governance.recipients import USER
from notices.models import MAX_NAME, Channel, ChannelKind
from notices.serializers import MAX_DIGEST, CreateChannel, UpdateChannel
from notices.targets import MAX_TARGET
from subscriptions.webhooks import address_policy

MINUTE = 60
_INPUT = {**INPUT, "autocomplete": "off"}
_URL = re.compile(address_policy.URL)


class WhenForm(ApiForm):
    """Urgencies, quiet hours and digests of a channel: what people choose for their own."""

    serializer: ClassVar[type[StrictSerializer]] = UpdateChannel
    fields_of = {
        "quiet_hours": "quiet_from",
        "quiet_hours.from": "quiet_from",
        "quiet_hours.until": "quiet_until",
        "quiet_hours.time_zone": "time_zone",
        "digest": "digest_minutes",
    }

    urgencies = forms.MultipleChoiceField(
        label="Urgencies",
        choices=Urgency.choices,
        initial=Urgency.values,
        help_text="Questions of these urgencies are sent.",
        widget=forms.CheckboxSelectMultiple,
    )
    quiet_from = forms.CharField(
        label="Quiet from",
        required=False,
        max_length=5,
        help_text="A time of day like 22:00. Low and normal notices wait until the quiet hours end; high ones never wait.",
        widget=forms.TextInput(attrs=_INPUT),
    )
    quiet_until = forms.CharField(label="Quiet until", required=False, max_length=5, widget=forms.TextInput(attrs=_INPUT))
    time_zone = forms.CharField(
        label="Time zone of the quiet hours",
        required=False,
        max_length=60,
        help_text="Like Europe/Berlin. Empty: UTC.",
        widget=forms.TextInput(attrs={**_INPUT, "list": "oi-zones"}),
    )
    digest_minutes = forms.IntegerField(
        label="Minutes between digests",
        required=False,
        min_value=1,
        max_value=MAX_DIGEST // MINUTE,
        help_text="Low and normal notices are collected and sent together. Empty: each at once.",
        widget=forms.NumberInput(attrs={**_INPUT, "inputmode": "numeric"}),
    )
    zones = sorted(available_timezones())
    """What the field of the time zone offers."""

    def __init__(self, data: Any = None, *, obj: Channel | None = None) -> None:
        super().__init__(data, obj=obj)
        if obj is not None:
            self.initial.update(values_of(obj))

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        quiet = {name: value for name, value in _quiet_hours(cleaned).items() if value}
        minutes = cleaned["digest_minutes"]
        digest = {"every_seconds": minutes * MINUTE} if minutes else None
        return {"urgencies": cleaned["urgencies"], "quiet_hours": quiet or None, "digest": digest}


class ChangeChannelForm(WhenForm):
    name = forms.CharField(max_length=MAX_NAME, widget=forms.TextInput(attrs=_INPUT))
    target = forms.CharField(
        required=False,
        max_length=MAX_TARGET,
        help_text="A new one: a URL, or e-mail addresses separated by commas. Empty: no change. It is never shown again.",
        widget=forms.TextInput(attrs=_INPUT),
    )
    owner = forms.ChoiceField(
        label="Owner",
        required=False,
        help_text="A shared channel sends every question of its urgencies; a person's own sends those that reach the person.",
        widget=forms.Select(attrs=INPUT),
    )
    field_order = ("name", "kind", "target", "owner")

    def __init__(self, data: Any = None, *, obj: Channel | None = None) -> None:
        super().__init__(data, obj=obj)
        people = User.objects.filter(is_active=True, is_staff=True).order_by("username").values_list("username", flat=True)
        self.fields["owner"].choices = [("", "Shared"), *((f"{USER}{name}", name) for name in people)]  # type: ignore[attr-defined]
        if obj is not None and obj.is_default:  # It sends to the addresses of accounts.
            del self.fields["target"], self.fields["owner"]

    def clean_target(self) -> list[str]:
        """Return the parts of the target. Raise ValidationError for an address that is blocked (rule H-7)."""
        given = self.cleaned_data["target"].strip()
        if _URL.fullmatch(given) and (problem := address_policy.callback_problem(given)):
            raise forms.ValidationError(f"The target's address is not allowed: {problem}.")
        is_url = given.startswith(("http://", "https://"))
        return [given] if is_url else [each.strip() for each in given.split(",") if each.strip()]

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        more = {"owner": cleaned["owner"] or None} if "owner" in cleaned else {}
        target = {"target": cleaned["target"]} if cleaned.get("target") else {}
        return {**super().body(cleaned), "name": cleaned["name"], **target, **more}


class CreateChannelForm(ChangeChannelForm):
    serializer = CreateChannel

    kind = forms.ChoiceField(choices=ChannelKind.choices, widget=forms.Select(attrs=INPUT))

    def __init__(self, data: Any = None, *, obj: Channel | None = None) -> None:
        super().__init__(data, obj=obj)
        self.fields["target"].required = True
        self.fields["target"].help_text = "A URL, or e-mail addresses separated by commas. It is never shown again."

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        return {**super().body(cleaned), "kind": cleaned["kind"]}


def values_of(channel: Channel) -> dict[str, Any]:
    """Return the form's values of a channel, without its target."""
    quiet, digest = channel.quiet_hours or {}, channel.digest
    return {
        "name": channel.name,
        "owner": channel.owner or "",
        "urgencies": channel.urgencies,
        "quiet_from": quiet.get("from", ""),
        "quiet_until": quiet.get("until", ""),
        "time_zone": quiet.get("time_zone", ""),
        "digest_minutes": max(1, digest["every_seconds"] // MINUTE) if digest else None,
    }


def _quiet_hours(cleaned: dict[str, Any]) -> dict[str, str]:
    hours = {"from": cleaned["quiet_from"], "until": cleaned["quiet_until"]}
    return {**hours, "time_zone": cleaned["time_zone"]} if any(hours.values()) else {}
