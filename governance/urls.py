"""Routes of arbitrations, decisions, permits and delegations."""

from core.api.views import Router
from governance.views import (
    ArbitrationViewSet,
    DecisionViewSet,
    DelegationViewSet,
    GateViewSet,
    IntentArbitrationViewSet,
    IntentPermitViewSet,
    PermitViewSet,
)

router = Router()
router.register("intents/<id:intent_id>", IntentArbitrationViewSet)
router.register("intents/<id:intent_id>/decisions", DecisionViewSet)
router.register("intents/<id:intent_id>/permits", IntentPermitViewSet)
router.register("arbitrations", ArbitrationViewSet)
router.register("permits", PermitViewSet)
router.register("gates", GateViewSet)
router.register("delegations", DelegationViewSet)

urlpatterns = router.urls
