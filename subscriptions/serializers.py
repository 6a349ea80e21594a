"""Serializers of streams and subscriptions (protocol §3, §7)."""

from functools import partial
from typing import Any, ClassVar

from rest_framework import serializers

from access.serializers import AgentId
from core.agent_ids import MAX_AGENT_ID
from core.api.fields import (
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictListField,
    StrictUUIDField,
)
from core.api.filters import MAX_COUNTER
from core.api.serializers import StrictSerializer
from intents.events import CLIENT_TYPE
from subscriptions.models import MAX_URL, SETTABLE
from subscriptions.webhooks.address_policy import URL

MAX_TOPICS = 100
MAX_TYPES = 100


class CreateStreamToken(StrictSerializer):
    """Request of a token for one of these topics, or for any stream."""

    example = {"intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "expires_in_seconds": 300}

    intent_id = StrictUUIDField(required=False, allow_null=True)
    portfolio_id = StrictUUIDField(required=False, allow_null=True)
    agent_id = AgentId(required=False)
    expires_in_seconds = StrictIntegerField(
        min_value=10, max_value=3_600, required=False, default=600, help_text="Seconds until the token expires."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(attrs.get(name) is not None for name in ("intent_id", "portfolio_id", "agent_id")) > 1:
            message = "a token is for one intent, portfolio or agent, or for any stream"
            raise serializers.ValidationError({"agent_id": serializers.ErrorDetail(message, "two_topics")})
        return attrs


class TopicIn(StrictSerializer):
    """Topic of a stream: one of these."""

    intent = StrictUUIDField(required=False)
    portfolio = StrictUUIDField(required=False)
    agent = StrictCharField(max_length=MAX_AGENT_ID, required=False)  # Any id in the log, even from before today's rules.
    all = StrictBooleanField(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        if len(values) != 1 or values.get("all") is False:
            raise serializers.ValidationError('must be {"intent": id}, {"portfolio": id}, {"agent": id} or {"all": true}')
        return values


class Message(StrictSerializer):
    type = StrictChoiceField(["subscribe", "unsubscribe"])


class SubscribeMessage(StrictSerializer):
    aliases = {"api_key": "key"}

    type = StrictCharField()
    topics = StrictListField(child=TopicIn(), allow_empty=False, max_length=MAX_TOPICS)
    after = StrictIntegerField(min_value=0, max_value=MAX_COUNTER, required=False, allow_null=True)
    event_types = StrictListField(child=StrictCharField(max_length=100), required=False, max_length=100)
    key = StrictCharField(required=False)


class UnsubscribeMessage(StrictSerializer):
    type = StrictCharField()
    subscription = StrictIntegerField(min_value=1, max_value=MAX_COUNTER)


Callback = partial(
    StrictCharField,
    max_length=MAX_URL,
    pattern=URL,
    pattern_message="must be an http or https URL, in ASCII and without a user name or password",
    required=False,
    allow_null=True,
)
"""Field of a callback URL (rule W-3); subscriptions.webhooks.address_policy checks its addresses."""


class EventTypes(StrictListField):
    def __init__(self, **kwargs: Any) -> None:
        message = "must begin with a-z and go on with up to 99 of a-z, 0-9, _, . and -"
        child = StrictCharField(pattern=rf"\A{CLIENT_TYPE.pattern}\Z", pattern_message=message)
        super().__init__(child=child, max_length=MAX_TYPES, required=False, help_text="Empty: all types.", **kwargs)


class CreateIntentSubscription(StrictSerializer):
    aliases = {"webhook_url": "callback_url"}
    example: ClassVar[dict[str, Any]] = {
        "subscriber_id": "service:dashboard",
        "callback_url": "https://dashboard.example.com/webhooks/intent",
        "event_types": ["state_patched", "status_changed"],
    }

    subscriber_id = AgentId(required=False, help_text="Defaults to the actor.")
    callback_url = Callback(help_text="Without a callback nothing is sent.")
    event_types = EventTypes()
    expires_at = StrictDateTimeField(required=False, allow_null=True)


class CreateSubscription(CreateIntentSubscription):
    """Request of a subscription to an intent, to a portfolio, or to all events."""

    example = {"subscriber_id": "service:audit", "callback_url": "https://audit.example.com/webhooks/all"}

    intent_id = StrictUUIDField(required=False, allow_null=True)
    portfolio_id = StrictUUIDField(required=False, allow_null=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        if values.get("intent_id") and values.get("portfolio_id"):
            message = "a subscription is to an intent or to a portfolio, not to both"
            raise serializers.ValidationError({"portfolio_id": serializers.ErrorDetail(message, "two_topics")})
        return values


CHANGEABLE = ("callback_url", "event_types", "status", "expires_at", "rotate_secret")


class UpdateSubscription(StrictSerializer):
    aliases = {"webhook_url": "callback_url"}
    json_schema = {"minProperties": 1}
    example = {"status": "active", "rotate_secret": True}

    callback_url = Callback()
    event_types = EventTypes()
    status = StrictChoiceField(SETTABLE, required=False)
    expires_at = StrictDateTimeField(required=False, allow_null=True)
    rotate_secret = StrictBooleanField(
        required=False, help_text="Returns a new secret. The previous secret also signs for 24 hours."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(f"give at least one of {', '.join(CHANGEABLE)}")
        return attrs
