"""Subscriptions: events that are sent to a callback (RFC-0006). `client.stream()` is the other way to hear of them."""

from collections.abc import Sequence
from typing import Any

from .._endpoint import Call, endpoint
from ..enums import DeliveryStatus, EventType, SubscriptionStatus
from ..errors import InputValidationError
from ..models import Delivery, StreamToken, Subscription
from ..validation import validate_agent_id, validate_subscription
from ._helpers import UNSET, Id, Instant, Unset, as_id, list_call, no_content, path, to_rfc3339, without_none


class SubscriptionResource:
    """/intents/{id}/subscriptions and /subscriptions (RFC-0006)."""

    @endpoint
    def subscribe(
        self,
        intent_id: Id,
        *,
        subscriber_id: str | None = None,
        callback_url: str | None = None,
        event_types: Sequence[EventType | str] | None = None,
        expires_at: Instant | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Subscription]:
        """Have what happens to an intent from now on sent to `callback_url`, at least once, signed (protocol W-1, W-2).

        The answer's `secret` is for `openintent.webhooks.verify`: it is shown this once. Without `event_types` all events are sent;
        without `subscriber_id` it is in the caller's name; without `callback_url` nothing is sent until it has one.

        Raises InputValidationError, NotFoundError, ValidationError `callback_not_allowed` for an address that leads into a private
        network (W-3).
        """
        validate_subscription(subscriber_id=subscriber_id, callback_url=callback_url, event_types=event_types)
        return Call(
            method="POST",
            path=path("intents", intent_id, "subscriptions"),
            json=_subscription_body(subscriber_id, callback_url, event_types, expires_at),
            parse=Subscription.from_json,
            idempotency_key=idempotency_key,
        )

    @endpoint
    def get_subscriptions(
        self,
        intent_id: Id,
        *,
        status: SubscriptionStatus | str | None = None,
        subscriber_id: str | None = None,
        limit: int | None = None,
    ) -> Call[list[Subscription]]:
        """The subscriptions to an intent that nobody has removed, or those of a status or a subscriber. Raises NotFoundError."""
        where = path("intents", intent_id, "subscriptions")
        return list_call(where, "subscriptions", Subscription, limit=limit, status=status, subscriber_id=subscriber_id)

    @endpoint
    def unsubscribe(self, intent_id: Id, subscription_id: Id) -> Call[None]:
        """End a subscription to an intent, and what it still had to hear; repeating it does nothing.

        For the key that made it, and operators. Raises NotFoundError, PermissionDeniedError.
        """
        return Call(method="DELETE", path=path("intents", intent_id, "subscriptions", subscription_id), parse=no_content)

    @endpoint
    def create_subscription(
        self,
        *,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        subscriber_id: str | None = None,
        callback_url: str | None = None,
        event_types: Sequence[EventType | str] | None = None,
        expires_at: Instant | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Subscription]:
        """The same for an intent, for a portfolio and its members, or, with neither, for everything. See `subscribe`.

        Raises InputValidationError, ValidationError `callback_not_allowed`, or for an unknown intent or portfolio.
        """
        validate_subscription(subscriber_id=subscriber_id, callback_url=callback_url, event_types=event_types)
        about = without_none(
            intent_id=None if intent_id is None else as_id(intent_id),
            portfolio_id=None if portfolio_id is None else as_id(portfolio_id),
        )
        return Call(
            method="POST",
            path=path("subscriptions"),
            json={**about, **_subscription_body(subscriber_id, callback_url, event_types, expires_at)},
            parse=Subscription.from_json,
            idempotency_key=idempotency_key,
        )

    @endpoint
    def list_subscriptions(
        self,
        *,
        status: SubscriptionStatus | str | None = None,
        subscriber_id: str | None = None,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        limit: int | None = None,
    ) -> Call[list[Subscription]]:
        """List the subscriptions that match, without the secrets; those of other keys without the path and query of `callback_url`."""
        return list_call(
            path("subscriptions"),
            "subscriptions",
            Subscription,
            limit=limit,
            status=status,
            subscriber_id=subscriber_id,
            intent_id=None if intent_id is None else as_id(intent_id),
            portfolio_id=None if portfolio_id is None else as_id(portfolio_id),
        )

    @endpoint
    def get_subscription(self, subscription_id: Id) -> Call[Subscription]:
        """A subscription, with how its last delivery went. Raises NotFoundError."""
        return Call(method="GET", path=path("subscriptions", subscription_id), parse=Subscription.from_json)

    @endpoint
    def update_subscription(
        self,
        subscription_id: Id,
        *,
        callback_url: str | Unset | None = UNSET,
        event_types: Sequence[EventType | str] | Unset = UNSET,
        status: SubscriptionStatus | str | Unset = UNSET,
        expires_at: Instant | Unset | None = UNSET,
        rotate_secret: bool = False,
    ) -> Call[Subscription]:
        """Change what is given. `status` may be active, also for one that was disabled, or paused: it hears nothing meanwhile.

        For the key that made it, and operators; an event `subscription_updated` tells of it. With `rotate_secret` the answer's `secret` is a new one. For 24 hours the one before signs as well, and
        `webhooks.verify` takes both.

        Raises InputValidationError, NotFoundError, PermissionDeniedError, ValidationError `callback_not_allowed`.
        """
        changes: dict[str, Any] = {"callback_url": callback_url, "event_types": event_types, "status": status}
        changes = {name: value for name, value in changes.items() if value is not UNSET}
        validate_subscription(**changes, rotate_secret=rotate_secret)
        if expires_at is not UNSET:
            changes["expires_at"] = to_rfc3339(expires_at, "expires_at")
        if rotate_secret:
            changes["rotate_secret"] = True
        if not changes:
            raise InputValidationError("give at least one of callback_url, event_types, status, expires_at, rotate_secret")
        return Call(
            method="PATCH",
            path=path("subscriptions", subscription_id),
            json=changes,
            parse=Subscription.from_json,
            retryable=not rotate_secret,  # Twice is two secrets, of which the second answer shows the last.
        )

    @endpoint
    def delete_subscription(self, subscription_id: Id) -> Call[None]:
        """End a subscription, and what it still had to hear; repeating it does nothing.

        For the key that made it, and operators. Raises NotFoundError, PermissionDeniedError.
        """
        return Call(method="DELETE", path=path("subscriptions", subscription_id), parse=no_content)

    @endpoint
    def create_stream_token(
        self,
        *,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        agent_id: str | None = None,
        expires_in_seconds: int | None = None,
    ) -> Call[StreamToken]:
        """Make a token with which a browser's EventSource opens a stream: `path + "?token=" + token`.

        For one intent, portfolio or agent, or, with none, for any stream. It reads what this client's key reads, and ends with it.
        It may open streams for ten minutes, or for `expires_in_seconds` (10 to 3,600); those that are open then go on.

        Raises InputValidationError, ValidationError for an unknown intent or portfolio.
        """
        if sum(each is not None for each in (intent_id, portfolio_id, agent_id)) > 1:
            raise InputValidationError("give one of intent_id, portfolio_id and agent_id, or none")
        if agent_id is not None:
            validate_agent_id(agent_id, "agent_id")
        body = without_none(
            intent_id=None if intent_id is None else as_id(intent_id),
            portfolio_id=None if portfolio_id is None else as_id(portfolio_id),
            agent_id=agent_id,
            expires_in_seconds=expires_in_seconds,
        )
        return Call(method="POST", path=path("stream-tokens"), json=body, parse=StreamToken.from_json)

    @endpoint
    def list_deliveries(
        self, subscription_id: Id, *, status: DeliveryStatus | str | None = None, limit: int | None = None
    ) -> Call[list[Delivery]]:
        """What was sent to a subscription, or is to be, the newest first, each with its attempts. Raises NotFoundError."""
        where = path("subscriptions", subscription_id, "deliveries")
        return list_call(where, "deliveries", Delivery, limit=limit, status=status)

    @endpoint
    def redeliver(self, subscription_id: Id, delivery_id: Id, *, idempotency_key: str | None = None) -> Call[Delivery]:
        """Send a delivery again now, under the same id, whether it has arrived, waits or is dead.

        Raises NotFoundError, PermissionDeniedError, ConflictError `subscription_not_called` where the subscription is paused,
        disabled or without a callback.
        """
        return Call(
            method="POST",
            path=path("subscriptions", subscription_id, "deliveries", delivery_id, "redeliver"),
            parse=Delivery.from_json,
            idempotency_key=idempotency_key,
        )


def _subscription_body(
    subscriber_id: str | None,
    callback_url: str | None,
    event_types: Sequence[EventType | str] | None,
    expires_at: Instant | None,
) -> dict[str, Any]:
    return without_none(
        subscriber_id=subscriber_id,
        callback_url=callback_url,
        event_types=None if event_types is None else list(event_types),
        expires_at=to_rfc3339(expires_at, "expires_at"),
    )
