"""Errors of streams and subscriptions (protocol §2)."""

from core.errors import ObjectNotFound, ProtocolError


class TooManyStreams(ProtocolError):
    """The key has reached its limit of open streams in one server process. Close one, follow several topics on one WebSocket, or ask the operator to raise OPENINTENT_MAX_STREAMS_PER_KEY."""

    code, title, status = "too_many_streams", "Too many streams", 429

    def __init__(self, limit: int) -> None:
        super().__init__(f"This key has reached its limit of {limit} open streams.", limit=limit, headers={"Retry-After": "5"})


class TooManySubscriptions(ProtocolError):
    """The key has reached its limit of subscriptions. Remove unused ones, subscribe to all events once, or ask the operator to raise OPENINTENT_MAX_SUBSCRIPTIONS_PER_KEY."""

    code, title, status = "too_many_subscriptions", "Too many subscriptions", 409

    def __init__(self, limit: int) -> None:
        super().__init__(f"This key has reached its limit of {limit} subscriptions.", limit=limit)


class SubscriptionNotFound(ObjectNotFound):
    message = "There is no subscription with the id"


class DeliveryNotFound(ObjectNotFound):
    message = "The subscription has no delivery with the id"


class CallbackNotAllowed(ProtocolError):
    """The callback's address is not allowed: it is in a private network, on the server's own machine, or a special address (rule W-3). Use a public address. Operators can allow private networks with OPENINTENT_WEBHOOK_ALLOW_PRIVATE."""

    code, title, status = "callback_not_allowed", "Callback not allowed", 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"callback_url: {reason}.")


class SubscriptionInactive(ProtocolError):
    """The subscription sends nothing: it is paused, disabled, expired, or has no callback. Activate it or set a callback, then send again."""

    code, title, status = "subscription_not_called", "Subscription is not called", 409

    def __init__(self, status: str) -> None:
        super().__init__(f"The subscription is {status}, so it sends nothing.")
