"""Routes of portfolios and their members."""

from django.urls import path

from portfolios.views import MemberViewSet, PortfolioViewSet

PORTFOLIO = "portfolios/<id:portfolio_id>"

urlpatterns = [
    path("portfolios", PortfolioViewSet.as_view({"post": "create", "get": "list"})),
    path(PORTFOLIO, PortfolioViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path(f"{PORTFOLIO}/status", PortfolioViewSet.as_view({"patch": "status"})),
    path(f"{PORTFOLIO}/intents", MemberViewSet.as_view({"post": "add", "get": "list"})),
    path(f"{PORTFOLIO}/intents/<id:intent_id>", MemberViewSet.as_view({"delete": "remove"})),
    path("intents/<id:intent_id>/portfolios", MemberViewSet.as_view({"get": "portfolios"})),
]
