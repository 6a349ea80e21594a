"""Routes of costs."""

from django.urls import path

from costs.views import CostViewSet

urlpatterns = [
    path("intents/<id:intent_id>/costs", CostViewSet.as_view({"post": "record", "get": "list"})),
    path("intents/<id:intent_id>/costs/summary", CostViewSet.as_view({"get": "summary"})),
    path("portfolios/<id:portfolio_id>/costs", CostViewSet.as_view({"get": "list_of_portfolio"})),
]
