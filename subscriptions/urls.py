"""Routes of streams, subscriptions and deliveries."""

from django.urls import path

from core.api.views import Router
from subscriptions.views import (
    DeliveryViewSet,
    IntentSubscriptionViewSet,
    StreamTokenViewSet,
    StreamViewSet,
    SubscriptionViewSet,
)

router = Router()
router.register("intents/<id:intent_id>/subscriptions", IntentSubscriptionViewSet)
router.register("subscriptions", SubscriptionViewSet)
router.register("subscriptions/<id:subscription_id>/deliveries", DeliveryViewSet)
router.register("stream-tokens", StreamTokenViewSet)
router.register("", StreamViewSet)

urlpatterns = [
    *router.urls,
    # Alias paths, which OpenAPI leaves out (core.openapi_schema).
    path("subscribe/intents/<id:intent_id>", StreamViewSet.as_view({"get": "intent"})),
    path("subscribe/portfolios/<id:portfolio_id>", StreamViewSet.as_view({"get": "portfolio"})),
    path("subscribe/agents/<agent:agent_id>", StreamViewSet.as_view({"get": "agent"})),
]
