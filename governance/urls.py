"""Routes of arbitrations, decisions and delegations."""

from django.urls import path

from governance.views import ArbitrationViewSet, DecisionViewSet, DelegationViewSet

INTENT = "intents/<id:intent_id>"
ARBITRATION = "arbitrations/<id:arbitration_id>"

urlpatterns = [
    path(f"{INTENT}/arbitrate", ArbitrationViewSet.as_view({"post": "create"})),
    path(f"{INTENT}/arbitrations", ArbitrationViewSet.as_view({"get": "list"})),
    path(f"{INTENT}/decisions", DecisionViewSet.as_view({"post": "create", "get": "list"})),
    path("arbitrations", ArbitrationViewSet.as_view({"get": "list_all"})),
    path(ARBITRATION, ArbitrationViewSet.as_view({"get": "retrieve"})),
    path(f"{ARBITRATION}/withdraw", ArbitrationViewSet.as_view({"post": "withdraw"})),
    path("delegations", DelegationViewSet.as_view({"post": "create", "get": "list"})),
    path("delegations/<id:delegation_id>", DelegationViewSet.as_view({"delete": "revoke"})),
]
