"""Routes of arbitrations, decisions and delegations."""

from core.api.views import Router
from governance.views import ArbitrationViewSet, DecisionViewSet, DelegationViewSet, IntentArbitrationViewSet

router = Router()
router.register("intents/<id:intent_id>", IntentArbitrationViewSet)
router.register("intents/<id:intent_id>/decisions", DecisionViewSet)
router.register("arbitrations", ArbitrationViewSet)
router.register("delegations", DelegationViewSet)

urlpatterns = router.urls
