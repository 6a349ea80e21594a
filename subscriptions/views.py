"""Views of streams, subscriptions and deliveries (RFC-0006)."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor, get_caller
from access.models import Role
from core.api.filters import MAX_COUNTER, CommaSeparatedFilter
from core.api.responses import Response
from core.api.serializers import StrictSerializer, reject_unknown_parameters
from core.api.views import ApiViewSet
from core.db import database_now
from core.errors import Invalid
from core.openapi import STREAM, operation
from core.root_path import public_path
from intents import topics
from intents.errors import IntentNotFound
from intents.models import Intent
from intents.representation import EventOut
from portfolios.errors import PortfolioNotFound
from subscriptions import services
from subscriptions.errors import CallbackNotAllowed
from subscriptions.filters import DeliveryFilter, IntentSubscriptionFilter, SubscriptionFilter
from subscriptions.models import MAX_URL, Delivery, Subscription
from subscriptions.representation import DeliveryOut, StreamTokenOut, SubscriptionOut, last_deliveries
from subscriptions.serializers import (
    CreateIntentSubscription,
    CreateStreamToken,
    CreateSubscription,
    UpdateSubscription,
)
from subscriptions.streams import stream_start
from subscriptions.streams.tokens import PARAMETER, StreamAuthentication, StreamToken, require_topic
from subscriptions.webhooks import address_policy

EVENT_STREAM = "text/event-stream; charset=utf-8"
_URL = re.compile(address_policy.URL)


class StreamViewSet(ApiViewSet):
    """Streams: each view returns parameters of a stream, which the SSE consumer then sends (subscriptions.streams.sse)."""

    tags = ["Streams"]
    authentication_classes = [StreamAuthentication]

    @operation("follow_intent", "Follow an intent", **STREAM)
    @action(detail=False, url_path="intents/<id:intent_id>/subscribe")
    def intent(self, request: Request, intent_id: UUID | str) -> HttpResponse:
        """Server-Sent Events: `event: connected` at once, then each event as `id: <position>`, `event: <type>`, `data: <Event>`; a comment after 15 s of silence, `event: bye` when the server ends it. Send the last `id` as `Last-Event-ID` and it goes on after it, without a hole. `/subscribe/intents/{intent_id}` is the same."""
        return _stream_parameters(request, stream_start.intent_topic(intent_id))

    @operation("follow_portfolio", "Follow a portfolio: its own events and those of its members", **STREAM)
    @action(detail=False, url_path="portfolios/<id:portfolio_id>/subscribe")
    def portfolio(self, request: Request, portfolio_id: UUID | str) -> HttpResponse:
        """As for an intent. An intent belongs to it from `added_to_portfolio` to `removed_from_portfolio`, also on open streams. `/subscribe/portfolios/{portfolio_id}` is the same."""
        return _stream_parameters(request, stream_start.portfolio_topic(portfolio_id))

    @operation("follow_agent", "Follow an agent: its assignments and the events of its assigned intents", **STREAM)
    @action(detail=False, url_path="agents/<agent:agent_id>/subscribe")
    def agent(self, request: Request, agent_id: str) -> HttpResponse:
        """As for an intent. An intent belongs to it from `agent_assigned` to `agent_unassigned`, also on open streams. `/subscribe/agents/{agent_id}` is the same."""
        return _stream_parameters(request, topics.for_agent(agent_id))

    @operation("follow_events", "Follow all events", **STREAM)
    @action(detail=False, url_path="events/subscribe")
    def all(self, request: Request) -> HttpResponse:
        """As for an intent. The same events, for several topics at once, come over the WebSocket `/ws/v1/events`."""
        return _stream_parameters(request, topics.ALL)


class StreamTokenViewSet(ApiViewSet):
    tags = ["Streams"]
    role = Role.OBSERVER
    secret_fields = ("token",)
    serializer_class = StreamTokenOut

    @operation("create_stream_token", "Create a token that opens a stream", request=CreateStreamToken)
    def create(self, request: Request) -> Response:
        """For browsers, whose `EventSource` can send no key: `new EventSource(path + '?token=' + token)`. It reads what the key reads that made it, is of no use elsewhere, and ends with that key. Streams that are open when it expires go on; to open one again needs another token."""
        values = self.validated(CreateStreamToken)
        topic, path = _topic_and_path(values)
        expires_at = database_now() + timedelta(seconds=values["expires_in_seconds"])
        token = StreamToken(get_caller(request).key_id, topic, expires_at.replace(microsecond=0))
        body = StreamTokenOut(token, context={"path": public_path(f"/api/v1/{path}/subscribe")})
        return Response(body.data, status=201, headers={"Cache-Control": "no-store"})


def _topic_and_path(values: dict[str, Any]) -> tuple[topics.Topic | None, str]:
    """Return the topic and the path of a stream. Raise Invalid if the intent or portfolio does not exist."""
    try:
        if intent_id := values.get("intent_id"):
            return stream_start.intent_topic(intent_id), f"intents/{intent_id}"
        if portfolio_id := values.get("portfolio_id"):
            return stream_start.portfolio_topic(portfolio_id), f"portfolios/{portfolio_id}"
    except (IntentNotFound, PortfolioNotFound) as error:
        field = "intent_id" if isinstance(error, IntentNotFound) else "portfolio_id"
        raise Invalid.field(field, f"there is none with the id {values[field]}", "unknown_id") from None
    if agent_id := values.get("agent_id"):
        return topics.for_agent(agent_id), f"agents/{quote(agent_id, safe='')}"
    return None, "events"


def _stream_parameters(request: Request, topic: str) -> HttpResponse:
    reject_unknown_parameters(request, ["after", "event_type", PARAMETER])
    require_topic(request.auth, topic)
    if request.method == "HEAD":
        return HttpResponse(content_type=EVENT_STREAM)
    name, given = "Last-Event-ID", request.META.get("HTTP_LAST_EVENT_ID")
    if given is None:
        name, given = "after", request.query_params.get("after")
    if given is not None and (not re.fullmatch(r"\d{1,19}", given, re.ASCII) or int(given) > MAX_COUNTER):
        raise Invalid.field(name, f"must be a whole number from 0 to {MAX_COUNTER}")
    requested = None if given is None else int(given)
    after = stream_start.start_position(requested)
    named = request.query_params.get("event_type")
    try:
        event_types = [] if named is None else CommaSeparatedFilter.split(named)
    except ValidationError:
        raise Invalid.field("event_type", "must be event types, separated by commas; omit it for all types") from None
    return Response(
        {
            "topics": [topic],
            "event_types": event_types,
            "after": after,
            "is_reset": requested is not None and requested > after,
            "key_id": str(get_caller(request).key_id),
        }
    )


class _Subscriptions(ApiViewSet):
    """Base of subscription views: resolves the callback's name and reads the newest position before any transaction begins."""

    tags = ["Subscriptions"]
    secret_fields = ("secret",)
    serializer_class = SubscriptionOut
    list_name = "subscriptions"
    lookup_url_kwarg = "subscription_id"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.newest = 0
        self.callback_problem: str | None = None
        if request.method not in ("POST", "PATCH"):
            return
        _ = request._request.body  # Read here for the Idempotency-Key, which compares the raw body.
        if not isinstance(request.data, dict):
            return
        self.newest = services.newest_position()
        for given in (request.data.get("callback_url"), request.data.get("webhook_url")):
            if isinstance(given, str) and len(given) <= MAX_URL and _URL.fullmatch(given):
                self.callback_problem = self.callback_problem or address_policy.callback_problem(given)

    def validated(self, body: type[StrictSerializer]) -> dict[str, Any]:
        """Return the validated body. Raise ValidationError, or CallbackNotAllowed if the callback's address is blocked."""
        values = super().validated(body)
        if self.callback_problem:
            raise CallbackNotAllowed(self.callback_problem)
        return values

    def representation(self, subscription: Subscription, secret: str | None) -> dict[str, Any]:
        """Return the current representation of a subscription, with a secret."""
        found = Subscription.objects.with_last_delivery().get(pk=subscription.pk)
        return SubscriptionOut(found, context={**self.get_context([found]), "secret": secret}).data

    def respond_list(self, queryset: Any, **members: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(queryset.with_last_delivery()))
        return self.get_paginated_response(SubscriptionOut(page, many=True, context=self.get_context(page)).data)

    def get_context(self, subscriptions: Any) -> dict[str, Any]:
        return {"reader": get_actor(self.request), "now": database_now(), "last": last_deliveries(subscriptions)}

    def respond_created(self, subscription: Subscription) -> Response:
        context = {"reader": get_actor(self.request), "now": subscription.created_at, "last": {}, "secret": subscription.secret}
        headers = {"Location": public_path(f"/api/v1/subscriptions/{subscription.pk}"), "Cache-Control": "no-store"}
        return Response(SubscriptionOut(subscription, context=context).data, status=201, headers=headers)


class IntentSubscriptionViewSet(_Subscriptions):
    filterset_class = IntentSubscriptionFilter

    @operation("subscribe", "Subscribe to an intent", request=CreateIntentSubscription)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """From now on the callback is told of the intent's events, each at least once, signed as Standard Webhooks has it. The answer shows the `secret`, this once."""
        values = self.validated(CreateIntentSubscription)
        return self.respond_created(
            services.create_subscription(actor=get_actor(request), newest=self.newest, intent_id=intent_id, **values)
        )

    @operation("get_subscriptions", "List the subscriptions to an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """Without their secrets."""
        return self.respond_list(Subscription.objects.not_removed().filter(intent_id=Intent.objects.require(intent_id)))

    @operation("unsubscribe", "Remove a subscription to an intent")
    def destroy(self, request: Request, intent_id: UUID | str, subscription_id: UUID | str) -> Response:
        """Pending deliveries are not sent any more."""
        services.remove_subscription(subscription_id=subscription_id, actor=get_actor(request), intent_id=intent_id)
        return Response(status=204)


class SubscriptionViewSet(_Subscriptions):
    filterset_class = SubscriptionFilter

    @operation("create_subscription", "Subscribe to an intent, a portfolio, or all events", request=CreateSubscription)
    def create(self, request: Request) -> Response:
        """To an intent, to a portfolio and its members, or, with neither, to everything. The answer shows the `secret`, this once."""
        values = self.validated(CreateSubscription)
        try:
            return self.respond_created(services.create_subscription(actor=get_actor(request), newest=self.newest, **values))
        except (IntentNotFound, PortfolioNotFound) as error:
            field = "intent_id" if isinstance(error, IntentNotFound) else "portfolio_id"
            raise Invalid.field(field, f"there is none with the id {values[field]}", "unknown_id") from None

    @operation("list_subscriptions", "List subscriptions")
    def list(self, request: Request) -> Response:
        """Subscriptions to intents, to portfolios and to all events, without their secrets."""
        return self.respond_list(Subscription.objects.not_removed())

    @operation("get_subscription", "Get a subscription")
    def retrieve(self, request: Request, subscription_id: UUID | str) -> Response:
        """With its last delivery, without its secret."""
        reject_unknown_parameters(request, [])
        return Response(self.representation(Subscription.objects.require(subscription_id), None))

    @operation("update_subscription", "Update a subscription, or rotate its secret", request=UpdateSubscription)
    def partial_update(self, request: Request, subscription_id: UUID | str) -> Response:
        """Give what changes. A paused one hears nothing of what happens meanwhile; a disabled one can be made active. With `rotate_secret` the answer shows the new secret, and for 24 hours the one before signs as well."""
        subscription, secret = services.update_subscription(
            subscription_id=subscription_id,
            changes=self.validated(UpdateSubscription),
            actor=get_actor(request),
            newest=self.newest,
        )
        return Response(self.representation(subscription, secret), headers={"Cache-Control": "no-store"} if secret else None)

    @operation("delete_subscription", "Remove a subscription")
    def destroy(self, request: Request, subscription_id: UUID | str) -> Response:
        """Pending deliveries are not sent any more. Idempotent."""
        services.remove_subscription(subscription_id=subscription_id, actor=get_actor(request))
        return Response(status=204)

    @operation("test_subscription", "Send a test event to a subscription", request=None, responses={201: EventOut})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, subscription_id: UUID | str) -> Response:
        """For the key that made it, and operators. Logs `subscription_tested`, which its callback is sent whatever types it hears of, signed and retried like any other event; `list_deliveries` says what became of it."""
        event = services.send_test_event(subscription_id=subscription_id, actor=get_actor(request))
        return Response(EventOut.render(event), status=201)


class DeliveryViewSet(ApiViewSet):
    tags = ["Subscriptions"]
    serializer_class = DeliveryOut
    filterset_class = DeliveryFilter
    list_name = "deliveries"
    ordering = ("-id",)
    lookup_url_kwarg = "delivery_id"

    @operation("list_deliveries", "List the deliveries of a subscription, newest first")
    def list(self, request: Request, subscription_id: UUID | str) -> Response:
        """With all attempts: when, what was answered, and how long it took."""
        subscription = Subscription.objects.require(subscription_id)
        deliveries = Delivery.objects.filter(subscription=subscription).select_related("event")
        page = self.paginate_queryset(self.filter_queryset(deliveries))
        context = {"with_responses": subscription.is_managed_by(get_actor(request))}
        return self.get_paginated_response(DeliveryOut(page, many=True, context=context).data)

    @operation("redeliver", "Send a delivery again now", request=None)
    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, subscription_id: UUID | str, delivery_id: UUID | str) -> Response:
        """Under the same id, whether it has arrived or is dead. It begins a new round of attempts."""
        delivery = services.redeliver(subscription_id=subscription_id, delivery_id=delivery_id, actor=get_actor(request))
        return Response(DeliveryOut(delivery, context={"with_responses": True}).data)
