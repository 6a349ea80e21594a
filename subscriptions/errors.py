"""Refusals of streams and subscriptions (protocol §2)."""

from typing import Any

from core.errors import NotFound, ProtocolError


class TooManyStreams(ProtocolError):
    """The key has as many streams open as it may have in one server process. Close one, follow several topics on one WebSocket, or have the operator raise OPENINTENT_MAX_STREAMS_PER_KEY."""

    code, title, status = "too_many_streams", "Too many streams", 429

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This key has {limit} streams open, which is all it may have.", limit=limit, headers={"Retry-After": "5"}
        )


class TooManySubscriptions(ProtocolError):
    """The key has as many subscriptions as it may have. Remove those that nobody needs, have one hear of everything, or have the operator raise OPENINTENT_MAX_SUBSCRIPTIONS_PER_KEY."""

    code, title, status = "too_many_subscriptions", "Too many subscriptions", 409

    def __init__(self, limit: int) -> None:
        super().__init__(f"This key has made {limit} subscriptions, which is all it may have.", limit=limit)


class SubscriptionNotFound(NotFound):
    def __init__(self, subscription_id: Any) -> None:
        super().__init__(f"No subscription has the id {str(subscription_id)[:60]!r}.")


class DeliveryNotFound(NotFound):
    def __init__(self, delivery_id: Any) -> None:
        super().__init__(f"The subscription has no delivery with the id {str(delivery_id)[:60]!r}.")


class CallbackNotAllowed(ProtocolError):
    """The callback's address cannot be called: it leads into a private network, to the server's own machine, or to a special address (rule W-3). Name a public one. An operator who wants webhooks within the own network sets OPENINTENT_WEBHOOK_ALLOW_PRIVATE."""

    code, title, status = "callback_not_allowed", "Callback not allowed", 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"callback_url: {reason}.")


class SubscriptionInactive(ProtocolError):
    """Nothing is sent to this subscription: it is paused, disabled, has run out, or has no callback. Make it active again, or give it a callback, and send again."""

    code, title, status = "subscription_not_called", "Subscription is not called", 409

    def __init__(self, status: str) -> None:
        super().__init__(f"The subscription is {status}, so nothing is sent to it.")
