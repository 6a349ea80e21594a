"""Routes of leases."""

from django.urls import path

from leasing.views import LeaseViewSet, RevocationViewSet

LEASES = "intents/<id:intent_id>/leases"

urlpatterns = [
    path(LEASES, LeaseViewSet.as_view({"post": "acquire", "get": "list"})),
    path(f"{LEASES}/<id:lease_id>", LeaseViewSet.as_view({"patch": "renew", "delete": "release"})),
    path(f"{LEASES}/<id:lease_id>/revoke", RevocationViewSet.as_view({"post": "revoke"})),
    path("leases", LeaseViewSet.as_view({"get": "list_all"})),
]
