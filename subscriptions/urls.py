from django.urls import path

from subscriptions.views import StreamViewSet

INTENT = StreamViewSet.as_view({"get": "intent"})
PORTFOLIO = StreamViewSet.as_view({"get": "portfolio"})
AGENT = StreamViewSet.as_view({"get": "agent"})

urlpatterns = [
    path("intents/<id:intent_id>/subscribe", INTENT),
    path("portfolios/<id:portfolio_id>/subscribe", PORTFOLIO),
    path("agents/<agent:agent_id>/subscribe", AGENT),
    path("events/subscribe", StreamViewSet.as_view({"get": "all"})),
    # The same in another spelling, which OpenAPI leaves out (config.schema).
    path("subscribe/intents/<id:intent_id>", INTENT),
    path("subscribe/portfolios/<id:portfolio_id>", PORTFOLIO),
    path("subscribe/agents/<agent:agent_id>", AGENT),
]
