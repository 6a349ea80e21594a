"""Representation of subscriptions, deliveries and stream tokens (protocol §3)."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.representation import ResponseSerializer
from subscriptions.models import Delivery, DeliveryStatus, Status, Subscription
from subscriptions.streams.tokens import StreamToken


class StreamTokenOut(ResponseSerializer):
    token = serializers.SerializerMethodField(help_text="Shown only once. Use as `?token=`, in place of a key.")
    path = serializers.SerializerMethodField(help_text="Path of the stream.")
    expires_at = serializers.DateTimeField(help_text="Streams that are open then continue.")

    def get_token(self, token: StreamToken) -> str | None:
        return str(token)

    def get_path(self, token: StreamToken) -> str:
        return str(self.context["path"])


class LastDeliveryOut(ResponseSerializer):
    status = serializers.ChoiceField(DeliveryStatus.choices)
    at = serializers.DateTimeField(source="last_attempt_at")
    attempts = serializers.IntegerField()


class SubscriptionOut(ResponseSerializer):
    # The context has the `reader`, the time `now`, the last delivery by subscription id (`last`) and, at its creation, the `secret`.

    id = serializers.UUIDField()
    intent_id = serializers.UUIDField(allow_null=True)
    portfolio_id = serializers.UUIDField(allow_null=True)
    subscriber_id = serializers.CharField()
    callback_url = serializers.SerializerMethodField(
        help_text="Path and query, which may hold a token, are only shown to its creator and operators."
    )
    event_types = serializers.ListField(child=serializers.CharField())
    secret = serializers.SerializerMethodField(help_text="Only in the response that creates it; otherwise null.")
    status = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField(allow_null=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_delivery = serializers.SerializerMethodField()

    def get_callback_url(self, subscription: Subscription) -> str | None:
        return subscription.callback_for(self.context["reader"])

    def get_secret(self, subscription: Subscription) -> str | None:
        return self.context.get("secret")

    @extend_schema_field(serializers.ChoiceField(Status.choices))
    def get_status(self, subscription: Subscription) -> str:
        return subscription.status_at(self.context["now"])

    @extend_schema_field(LastDeliveryOut(allow_null=True))
    def get_last_delivery(self, subscription: Subscription) -> dict[str, Any] | None:
        last = self.context["last"].get(subscription.pk)
        return last and LastDeliveryOut.render(last)


def last_deliveries(subscriptions: Iterable[Any]) -> Mapping[UUID, Delivery]:
    """Return the last attempted delivery by subscription id. The subscriptions come from `with_last_delivery`."""
    tried = [each.last_delivery_id for each in subscriptions if each.last_delivery_id]
    return {delivery.subscription_id: delivery for delivery in Delivery.objects.filter(pk__in=tried)}


class DeliveryAttemptOut(ResponseSerializer):
    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True, help_text="Reason if there is no status_code.")
    duration_ms = serializers.IntegerField()
    response = serializers.CharField(
        allow_null=True, help_text="First bytes of the response, for the subscription's creator and operators."
    )


_ATTEMPT = [*DeliveryAttemptOut().fields]
"""What is shown of an attempt: its headers have a signature."""


class DeliveryOut(ResponseSerializer):
    id = serializers.UUIDField(help_text="webhook-id of each attempt.")
    subscription_id = serializers.UUIDField()
    event_id = serializers.UUIDField(source="event.uid")
    event_type = serializers.CharField()
    position = serializers.IntegerField(source="event_id")
    status = serializers.ChoiceField(DeliveryStatus.choices)
    attempts = serializers.IntegerField()
    history = serializers.SerializerMethodField(help_text="Last 50 attempts, oldest first.")
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    last_attempt_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Time of success or of giving up.")

    @extend_schema_field(DeliveryAttemptOut(many=True))
    def get_history(self, delivery: Delivery) -> list[dict[str, Any]]:
        """Return the attempts. Responses may repeat the callback, so only readers who may see it in full get them."""
        hidden = {} if self.context["with_responses"] else {"response": None}
        return [{**{name: attempt[name] for name in _ATTEMPT}, **hidden} for attempt in delivery.history]
