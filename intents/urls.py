"""Routes of intents, their graph, agents and events."""

from django.urls import path

from intents.views import AgentViewSet, EventViewSet, GraphViewSet, IntentViewSet

INTENT = "intents/<id:intent_id>"

urlpatterns = [
    path("intents", IntentViewSet.as_view({"post": "create", "get": "list"})),
    path(INTENT, IntentViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path(f"{INTENT}/state", IntentViewSet.as_view({"post": "state"})),
    path(f"{INTENT}/status", IntentViewSet.as_view({"post": "status"})),
    path(f"{INTENT}/children", GraphViewSet.as_view({"post": "create_child", "get": "children"})),
    path(f"{INTENT}/descendants", GraphViewSet.as_view({"get": "descendants"})),
    path(f"{INTENT}/ancestors", GraphViewSet.as_view({"get": "ancestors"})),
    path(f"{INTENT}/dependencies", GraphViewSet.as_view({"post": "add_dependencies", "get": "dependencies"})),
    path(f"{INTENT}/dependencies/<id:dependency_id>", GraphViewSet.as_view({"delete": "remove_dependency"})),
    path(f"{INTENT}/dependents", GraphViewSet.as_view({"get": "dependents"})),
    path(f"{INTENT}/ready", GraphViewSet.as_view({"get": "ready"})),
    path(f"{INTENT}/blocked", GraphViewSet.as_view({"get": "blocked"})),
    path(f"{INTENT}/graph", GraphViewSet.as_view({"get": "graph"})),
    path(f"{INTENT}/events", EventViewSet.as_view({"post": "create", "get": "list"})),
    path(f"{INTENT}/events/batch", EventViewSet.as_view({"post": "create_batch"})),
    path(f"{INTENT}/agents", AgentViewSet.as_view({"post": "assign", "get": "agents"})),
    path(f"{INTENT}/agents/<agent:agent_id>", AgentViewSet.as_view({"delete": "unassign"})),
    path("agents/<agent:agent_id>/intents", AgentViewSet.as_view({"get": "intents"})),
    path("events", EventViewSet.as_view({"get": "list_all"})),
]
