"""Subscriptions: events sent to a callback URL (RFC-0006). `client.stream()` receives them over a connection instead."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .._call import Call, call_builder, list_call, no_content
from .._parameters import UNSET, Id, Instant, Unset, as_optional_id, one_of, path, to_rfc3339, without_none
from .._stream import EventStream
from .._stream_state import StreamState, stream_call
from ..enums import DeliveryStatus, EventType, SubscriptionStatus
from ..errors import InputValidationError
from ..models import Delivery, Event, StreamToken, Subscription
from ..validation import validate_agent_id, validate_subscription
from ._transport import Transport


class SubscriptionResource(Transport):
    """/intents/{id}/subscriptions and /subscriptions (RFC-0006)."""

    def subscribe(
        self,
        intent_id: Id,
        *,
        subscriber_id: str | None = None,
        callback_url: str | None = None,
        event_types: Sequence[EventType | str] | None = None,
        expires_at: Instant | None = None,
        idempotency_key: str | None = None,
        webhook_url: str | None = None,
    ) -> Subscription:
        """Subscribe to an intent: its events from now on are sent to `callback_url`, at least once, signed (protocol W-1, W-2).

        `webhook_url` is an alias of `callback_url`.

        The result's `secret` is for `openintent.webhooks.verify`: it is returned only here. Without `event_types` all events are sent;
        `subscriber_id` defaults to the caller; without `callback_url` nothing is sent until one is set.

        Raises InputValidationError, NotFoundError, ValidationError `callback_not_allowed` for an address in a private
        network (W-3).
        """
        call = call_builder(SubscriptionResource.create_subscription)(
            subscriber_id=subscriber_id,
            callback_url=one_of(callback_url, webhook_url, "webhook_url"),
            event_types=event_types,
            expires_at=expires_at,
            idempotency_key=idempotency_key,
        )
        return self.send(replace(call, path=path("intents", intent_id, "subscriptions")))

    def get_subscriptions(
        self,
        intent_id: Id,
        *,
        status: SubscriptionStatus | str | None = None,
        subscriber_id: str | None = None,
        limit: int | None = None,
    ) -> list[Subscription]:
        """Return the subscriptions to an intent, or those with a status or of a subscriber. Raises NotFoundError."""
        where = path("intents", intent_id, "subscriptions")
        return self.send(list_call(where, "subscriptions", Subscription, limit=limit, status=status, subscriber_id=subscriber_id))

    def unsubscribe(self, intent_id: Id, subscription_id: Id) -> None:
        """Delete a subscription to an intent, with its pending deliveries. Idempotent.

        For the key that created it, and operators. Raises NotFoundError, PermissionDeniedError.
        """
        return self.send(Call("DELETE", path("intents", intent_id, "subscriptions", subscription_id), no_content))

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
    ) -> Subscription:
        """Subscribe to an intent, to a portfolio and its members, or, with neither, to all events. See `subscribe`.

        Raises InputValidationError, ValidationError `callback_not_allowed`, or for an unknown intent or portfolio.
        """
        validate_subscription(subscriber_id=subscriber_id, callback_url=callback_url, event_types=event_types)
        return self.send(
            Call(
                "POST",
                path("subscriptions"),
                Subscription.from_json,
                json=without_none(
                    intent_id=as_optional_id(intent_id),
                    portfolio_id=as_optional_id(portfolio_id),
                    subscriber_id=subscriber_id,
                    callback_url=callback_url,
                    event_types=None if event_types is None else list(event_types),
                    expires_at=to_rfc3339(expires_at, "expires_at"),
                ),
                idempotency_key=idempotency_key,
            )
        )

    def list_subscriptions(
        self,
        *,
        status: SubscriptionStatus | str | None = None,
        subscriber_id: str | None = None,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        limit: int | None = None,
    ) -> list[Subscription]:
        """List the subscriptions that match, without the secrets; those of other keys without the path and query of `callback_url`."""
        return self.send(
            list_call(
                path("subscriptions"),
                "subscriptions",
                Subscription,
                limit=limit,
                status=status,
                subscriber_id=subscriber_id,
                intent_id=as_optional_id(intent_id),
                portfolio_id=as_optional_id(portfolio_id),
            )
        )

    def get_subscription(self, subscription_id: Id) -> Subscription:
        """Return a subscription, with the outcome of its last delivery. Raises NotFoundError."""
        return self.send(Call("GET", path("subscriptions", subscription_id), Subscription.from_json))

    def update_subscription(
        self,
        subscription_id: Id,
        *,
        callback_url: str | Unset | None = UNSET,
        event_types: Sequence[EventType | str] | Unset = UNSET,
        status: SubscriptionStatus | str | Unset = UNSET,
        expires_at: Instant | Unset | None = UNSET,
        rotate_secret: bool = False,
    ) -> Subscription:
        """Update a subscription. Omitted arguments stay unchanged. `status` may be active, which re-enables a disabled one, or paused:
        no events are sent meanwhile.

        For the key that created it, and operators; logged as an event `subscription_updated`. With `rotate_secret` the result's
        `secret` is a new one. For 24 hours deliveries are signed with the previous one as well, and `webhooks.verify` accepts both.

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
            raise InputValidationError("pass at least one of callback_url, event_types, status, expires_at, rotate_secret")
        return self.send(
            Call(
                "PATCH",
                path("subscriptions", subscription_id),
                Subscription.from_json,
                json=changes,
                retryable=not rotate_secret,  # A retry would rotate again.
            )
        )

    def delete_subscription(self, subscription_id: Id) -> None:
        """Delete a subscription, with its pending deliveries. Idempotent.

        For the key that created it, and operators. Raises NotFoundError, PermissionDeniedError.
        """
        return self.send(Call("DELETE", path("subscriptions", subscription_id), no_content))

    def test_subscription(self, subscription_id: Id, *, idempotency_key: str | None = None) -> Event:
        """Send a test event to a subscription: `subscription_tested`, which its callback gets whatever types it hears, signed.

        `list_deliveries(subscription_id)` says what became of it; the delivery's `event_id` is the `id` of the result. For the key
        that created the subscription, and operators.

        Raises NotFoundError, PermissionDeniedError, ConflictError `subscription_not_called` if the subscription is paused,
        disabled, expired or without a callback.
        """
        where = path("subscriptions", subscription_id, "test")
        return self.send(Call("POST", where, Event.from_json, idempotency_key=idempotency_key))

    def create_stream_token(
        self,
        *,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        agent_id: str | None = None,
        expires_in_seconds: int | None = None,
    ) -> StreamToken:
        """Create a token with which a browser's EventSource opens a stream: `path + "?token=" + token`.

        It is for one intent, portfolio or agent, or, with none, for any stream. It has the read permissions of this client's key,
        and ends with it. It opens streams for ten minutes, or for `expires_in_seconds` (10 to 3,600); open streams continue.

        Raises InputValidationError, ValidationError for an unknown intent or portfolio.
        """
        if sum(each is not None for each in (intent_id, portfolio_id, agent_id)) > 1:
            raise InputValidationError("pass one of intent_id, portfolio_id and agent_id, or none")
        if agent_id is not None:
            validate_agent_id(agent_id, "agent_id")
        body = without_none(
            intent_id=as_optional_id(intent_id),
            portfolio_id=as_optional_id(portfolio_id),
            agent_id=agent_id,
            expires_in_seconds=expires_in_seconds,
        )
        return self.send(Call("POST", path("stream-tokens"), StreamToken.from_json, json=body))

    def list_deliveries(
        self, subscription_id: Id, *, status: DeliveryStatus | str | None = None, limit: int | None = None
    ) -> list[Delivery]:
        """Return the deliveries of a subscription, sent or pending, the newest first, each with its attempts. Raises NotFoundError."""
        where = path("subscriptions", subscription_id, "deliveries")
        return self.send(list_call(where, "deliveries", Delivery, limit=limit, status=status))

    def redeliver(self, subscription_id: Id, delivery_id: Id, *, idempotency_key: str | None = None) -> Delivery:
        """Send a delivery again now, under the same id, whether it is delivered, pending or dead.

        Raises NotFoundError, PermissionDeniedError, ConflictError `subscription_not_called` if the subscription is paused,
        disabled or without a callback.
        """
        return self.send(
            Call(
                "POST",
                path("subscriptions", subscription_id, "deliveries", delivery_id, "redeliver"),
                Delivery.from_json,
                idempotency_key=idempotency_key,
            )
        )

    def stream(
        self,
        *,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        agent_id: str | None = None,
        after: int | None = None,
        event_types: EventType | str | Sequence[EventType | str] | None = None,
        reconnect: bool = True,
    ) -> EventStream:
        """Stream the events of an intent, a portfolio, an agent or the whole server as they happen (protocol K-4, S-1 to S-4).

            for event in client.stream(intent_id=intent.id, event_types=["state_patched", "status_changed"]):

        The stream runs until it is closed. Each event is returned once and in order: when the connection breaks, is silent for
        40 seconds or is ended by the server, and when the server is down or has no capacity, the stream reconnects after a growing
        pause and resumes. With `reconnect=False` that is an error instead.

        after        the position to resume after, that of the last event you know; 0: from the beginning. None: from now on, which
                     is when the stream connects: on entering `with client.stream(…) as stream:`, else at the first event
        event_types  the types to return; none: all

        A portfolio's events are its own and its members', an agent's its assignments and those of the intents assigned to it.

        Raises InputValidationError at once; while iterating AuthenticationError (also when the key is revoked meanwhile),
        PermissionDeniedError, NotFoundError, ValidationError; with `reconnect=False` also ConnectionFailedError, RateLimitError,
        ServerError.
        """
        call = stream_call(intent_id=intent_id, portfolio_id=portfolio_id, agent_id=agent_id, event_types=event_types)
        return self._open_stream(StreamState(call, self._server, after=after, reconnect=reconnect))
