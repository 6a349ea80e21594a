"""Routes of intents, their graph, agents and events."""

from core.api.views import Router
from intents.event_views import EventListViewSet, EventViewSet
from intents.views import (
    AgentIntentViewSet,
    AgentViewSet,
    GraphViewSet,
    IntentViewSet,
)

router = Router()
router.register("intents", IntentViewSet)
router.register("intents/<id:intent_id>/events", EventViewSet)
router.register("intents/<id:intent_id>", GraphViewSet)
router.register("intents/<id:intent_id>/agents", AgentViewSet)
router.register("agents/<agent:agent_id>/intents", AgentIntentViewSet)
router.register("events", EventListViewSet)

urlpatterns = router.urls
