"""Routes of retry policies and failures."""

from django.urls import path

from retries.views import FailureViewSet, RetryPolicyViewSet

INTENT = "intents/<id:intent_id>"

urlpatterns = [
    path(f"{INTENT}/retry-policy", RetryPolicyViewSet.as_view({"put": "replace", "get": "retrieve"})),
    path(f"{INTENT}/failures", FailureViewSet.as_view({"post": "record", "get": "list"})),
]
