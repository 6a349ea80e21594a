"""Views of streams, subscriptions and deliveries (RFC-0006)."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import Actor, get_actor, get_caller
from access.models import Role
from core.api.filters import MAX_COUNTER, CommaSeparatedFilter, filter_queryset
from core.api.pagination import Keyset
from core.api.serializers import reject_unknown_parameters, validate_body
from core.api.views import ApiViewSet
from core.db import database_now
from core.encoding import instant
from core.errors import Invalid
from core.openapi import document_action, document_create, document_destroy, document_list, document_retrieve, document_stream
from core.root_path import public_path
from intents import topics
from intents.errors import IntentNotFound
from intents.models import Intent
from portfolios.errors import PortfolioNotFound
from subscriptions import services
from subscriptions.errors import CallbackNotAllowed
from subscriptions.filters import DeliveryFilter, IntentSubscriptionFilter, SubscriptionFilter
from subscriptions.models import MAX_URL, Delivery, Subscription
from subscriptions.representation import delivery_body, last_deliveries, subscription_body
from subscriptions.serializers import (
    CreateIntentSubscription,
    CreateStreamToken,
    CreateSubscription,
    DeliveryOut,
    StreamTokenOut,
    SubscriptionOut,
    UpdateSubscription,
)
from subscriptions.streams import stream_start
from subscriptions.streams.tokens import PARAMETER, StreamAuthentication, StreamToken, require_topic
from subscriptions.webhooks import address_policy

BY_ID = Keyset("id")
NEWEST = Keyset("-id")
STREAM = "text/event-stream; charset=utf-8"
_URL = re.compile(address_policy.URL)


class StreamViewSet(ApiViewSet):
    """Streams: each view returns parameters of a stream, which the SSE consumer then sends (subscriptions.streams.sse)."""

    tags = ["Streams"]
    authentication_classes = [StreamAuthentication]

    @document_stream("follow_intent", "Follow an intent")
    def intent(self, request: Request, intent_id: UUID | str) -> HttpResponse:
        return _stream_parameters(request, stream_start.intent_topic(intent_id))

    @document_stream("follow_portfolio", "Follow a portfolio: its own events and those of its members")
    def portfolio(self, request: Request, portfolio_id: UUID | str) -> HttpResponse:
        return _stream_parameters(request, stream_start.portfolio_topic(portfolio_id))

    @document_stream("follow_agent", "Follow an agent: its assignments and the events of its assigned intents")
    def agent(self, request: Request, agent_id: str) -> HttpResponse:
        return _stream_parameters(request, topics.for_agent(agent_id))

    @document_stream("follow_events", "Follow all events")
    def all(self, request: Request) -> HttpResponse:
        return _stream_parameters(request, topics.ALL)


class StreamTokenViewSet(ApiViewSet):
    tags = ["Streams"]
    role = Role.OBSERVER
    secret_fields = ("token",)

    @document_create("create_stream_token", "Create a token that opens a stream", CreateStreamToken, StreamTokenOut)
    def create(self, request: Request) -> Response:
        values = validate_body(CreateStreamToken, request)
        topic, path = _topic_and_path(values)
        expires_at = database_now() + timedelta(seconds=values["expires_in_seconds"])
        token = StreamToken(get_caller(request).key_id, topic, expires_at.replace(microsecond=0))
        body = {"token": str(token), "path": public_path(f"/api/v1/{path}/subscribe"), "expires_at": instant(token.expires_at)}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})


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
        return HttpResponse(content_type=STREAM)
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

    def _parse(self, body: type[CreateIntentSubscription | UpdateSubscription], request: Request) -> dict[str, Any]:
        """Return the validated body. Raise ValidationError, or CallbackNotAllowed if the callback's address is blocked."""
        values = validate_body(body, request)
        if self.callback_problem:
            raise CallbackNotAllowed(self.callback_problem)
        return values


class IntentSubscriptionViewSet(_Subscriptions):
    @document_create("subscribe", "Subscribe to an intent", CreateIntentSubscription, SubscriptionOut)
    def subscribe(self, request: Request, intent_id: UUID | str) -> Response:
        values = self._parse(CreateIntentSubscription, request)
        actor = get_actor(request)
        return _created_response(
            services.create_subscription(actor=actor, newest=self.newest, intent_id=intent_id, **values), actor
        )

    @document_list(
        "get_subscriptions",
        "List the subscriptions to an intent",
        SubscriptionOut,
        "subscriptions",
        filterset=IntentSubscriptionFilter,
    )
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        subscriptions = Subscription.objects.not_removed().filter(intent_id=Intent.objects.require(intent_id))
        return _list_response(filter_queryset(IntentSubscriptionFilter, subscriptions, request, []), request)

    @document_destroy("unsubscribe", "Remove a subscription to an intent")
    def unsubscribe(self, request: Request, intent_id: UUID | str, subscription_id: UUID | str) -> Response:
        services.remove_subscription(subscription_id=subscription_id, actor=get_actor(request), intent_id=intent_id)
        return Response(status=204)


class SubscriptionViewSet(_Subscriptions):
    @document_create(
        "create_subscription", "Subscribe to an intent, a portfolio, or all events", CreateSubscription, SubscriptionOut
    )
    def create(self, request: Request) -> Response:
        values = self._parse(CreateSubscription, request)
        actor = get_actor(request)
        try:
            return _created_response(services.create_subscription(actor=actor, newest=self.newest, **values), actor)
        except (IntentNotFound, PortfolioNotFound) as error:
            field = "intent_id" if isinstance(error, IntentNotFound) else "portfolio_id"
            raise Invalid.field(field, f"there is none with the id {values[field]}", "unknown_id") from None

    @document_list("list_subscriptions", "List subscriptions", SubscriptionOut, "subscriptions", filterset=SubscriptionFilter)
    def list(self, request: Request) -> Response:
        return _list_response(filter_queryset(SubscriptionFilter, Subscription.objects.not_removed(), request, []), request)

    @document_retrieve("get_subscription", "Get a subscription", SubscriptionOut)
    def retrieve(self, request: Request, subscription_id: UUID | str) -> Response:
        reject_unknown_parameters(request, [])
        return Response(_represent(Subscription.objects.require(subscription_id), request))

    @document_action("update_subscription", "Update a subscription, or rotate its secret", UpdateSubscription, SubscriptionOut)
    def partial_update(self, request: Request, subscription_id: UUID | str) -> Response:
        subscription, secret = services.update_subscription(
            subscription_id=subscription_id,
            changes=self._parse(UpdateSubscription, request),
            actor=get_actor(request),
            newest=self.newest,
        )
        headers = {"Cache-Control": "no-store"} if secret else None
        return Response({**_represent(subscription, request), "secret": secret}, headers=headers)

    @document_destroy("delete_subscription", "Remove a subscription")
    def destroy(self, request: Request, subscription_id: UUID | str) -> Response:
        services.remove_subscription(subscription_id=subscription_id, actor=get_actor(request))
        return Response(status=204)


class DeliveryViewSet(ApiViewSet):
    tags = ["Subscriptions"]

    @document_list(
        "list_deliveries",
        "List the deliveries of a subscription, newest first",
        DeliveryOut,
        "deliveries",
        filterset=DeliveryFilter,
    )
    def list(self, request: Request, subscription_id: UUID | str) -> Response:
        subscription = Subscription.objects.require(subscription_id)
        deliveries = Delivery.objects.filter(subscription=subscription).select_related("event")
        found = NEWEST.paginate_queryset(filter_queryset(DeliveryFilter, deliveries, request, []), request)
        with_responses = subscription.is_managed_by(get_actor(request))
        return Response(found.body("deliveries", lambda each: delivery_body(each, with_responses=with_responses)))

    @document_action("redeliver", "Send a delivery again now", None, DeliveryOut)
    def redeliver(self, request: Request, subscription_id: UUID | str, delivery_id: UUID | str) -> Response:
        delivery = services.redeliver(subscription_id=subscription_id, delivery_id=delivery_id, actor=get_actor(request))
        return Response(delivery_body(delivery, with_responses=True))


def _created_response(subscription: Subscription, creator: Actor) -> Response:
    body = {**subscription_body(subscription, creator, subscription.created_at), "secret": subscription.secret}
    headers = {"Location": public_path(f"/api/v1/subscriptions/{subscription.pk}"), "Cache-Control": "no-store"}
    return Response(body, status=201, headers=headers)


def _represent(subscription: Subscription, request: Request) -> dict[str, Any]:
    found = Subscription.objects.with_last_delivery().get(pk=subscription.pk)
    return subscription_body(found, get_actor(request), database_now(), last_deliveries([found]).get(found.pk))


def _list_response(subscriptions: QuerySet[Subscription], request: Request) -> Response:
    found = BY_ID.paginate_queryset(subscriptions.with_last_delivery(), request)  # type: ignore[attr-defined]
    last, now, reader = last_deliveries([*found.rows]), database_now(), get_actor(request)
    return Response(found.body("subscriptions", lambda each: subscription_body(each, reader, now, last.get(each.pk))))
