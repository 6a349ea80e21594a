"""Forms that create and change a webhook (rules W-3, W-4)."""

import re
from typing import Any, ClassVar

from django import forms
from django.utils.timezone import localtime

from console.actions import INPUT
from console.api_form import ApiForm
from console.form_fields import PORTFOLIO, InstantField, LinesField, NamedField
from core.agent_ids import MAX_AGENT_ID
from core.api.serializers import StrictSerializer
from subscriptions.models import MAX_URL, Subscription
from subscriptions.serializers import CreateSubscription, UpdateSubscription
from subscriptions.webhooks import address_policy

_URL = re.compile(address_policy.URL)


class ChangeWebhookForm(ApiForm):
    serializer: ClassVar[type[StrictSerializer]] = UpdateSubscription

    callback_url = forms.CharField(
        label="Endpoint",
        max_length=MAX_URL,
        help_text="The URL that events are sent to. Its path and query are shown to operators alone.",
        widget=forms.TextInput(attrs={**INPUT, "type": "url", "autocomplete": "off"}),
    )
    event_types = LinesField(
        label="Event types", help_text="One on each line, such as arbitration_requested. Empty: all.", rows=3
    )
    expires_at = InstantField(label="Expires", help_text="In your time zone. Empty: never.")

    def __init__(self, data: Any = None, *, obj: Subscription | None = None) -> None:
        super().__init__(data, obj=obj)
        if obj is not None:
            self.initial.update(
                callback_url=obj.callback_url or "",
                event_types="\n".join(obj.event_types),
                expires_at=obj.expires_at and localtime(obj.expires_at),
            )

    def clean_callback_url(self) -> str:
        """Raise ValidationError for an address that is blocked (rule W-3)."""
        given: str = self.cleaned_data["callback_url"]
        if _URL.fullmatch(given) and (problem := address_policy.callback_problem(given)):
            raise forms.ValidationError(f"The endpoint's address is not allowed: {problem}.")
        return given


class CreateWebhookForm(ChangeWebhookForm):
    serializer = CreateSubscription

    subscriber_id = forms.CharField(
        label="Subscriber",
        required=False,
        max_length=MAX_AGENT_ID,
        help_text="The name of who receives the events, such as service:pager. Empty: you.",
        widget=forms.TextInput(attrs={**INPUT, "autocomplete": "off"}),
    )
    intent_id = NamedField(label="Only of the intent")
    portfolio_id = NamedField(PORTFOLIO, label="Only of the portfolio", help_text="With its members. Its ID or its exact name.")
    field_order = ("callback_url", "subscriber_id", "event_types", "intent_id", "portfolio_id", "expires_at")

    def body(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        named = {"subscriber_id": cleaned["subscriber_id"]} if cleaned["subscriber_id"] else {}
        return {**{name: value for name, value in cleaned.items() if name != "subscriber_id"}, **named}
