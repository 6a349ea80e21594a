from django.urls import path

from subscriptions.views import (
    DeliveryViewSet,
    IntentSubscriptionViewSet,
    StreamTokenViewSet,
    StreamViewSet,
    SubscriptionViewSet,
)

INTENT = StreamViewSet.as_view({"get": "intent"})
PORTFOLIO = StreamViewSet.as_view({"get": "portfolio"})
AGENT = StreamViewSet.as_view({"get": "agent"})

ONE = "subscriptions/<id:subscription_id>"

urlpatterns = [
    path("intents/<id:intent_id>/subscriptions", IntentSubscriptionViewSet.as_view({"post": "subscribe", "get": "list"})),
    path(
        "intents/<id:intent_id>/subscriptions/<id:subscription_id>", IntentSubscriptionViewSet.as_view({"delete": "unsubscribe"})
    ),
    path("subscriptions", SubscriptionViewSet.as_view({"post": "create", "get": "list"})),
    path(ONE, SubscriptionViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    path(f"{ONE}/deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path(f"{ONE}/deliveries/<id:delivery_id>/redeliver", DeliveryViewSet.as_view({"post": "redeliver"})),
    path("stream-tokens", StreamTokenViewSet.as_view({"post": "create"})),
    path("intents/<id:intent_id>/subscribe", INTENT),
    path("portfolios/<id:portfolio_id>/subscribe", PORTFOLIO),
    path("agents/<agent:agent_id>/subscribe", AGENT),
    path("events/subscribe", StreamViewSet.as_view({"get": "all"})),
    # Alias paths, which OpenAPI leaves out (core.openapi_schema).
    path("subscribe/intents/<id:intent_id>", INTENT),
    path("subscribe/portfolios/<id:portfolio_id>", PORTFOLIO),
    path("subscribe/agents/<agent:agent_id>", AGENT),
]
