"""Routes of costs."""

from core.api.views import Router
from costs.views import CostViewSet, PortfolioCostViewSet

router = Router()
router.register("intents/<id:intent_id>/costs", CostViewSet)
router.register("portfolios/<id:portfolio_id>/costs", PortfolioCostViewSet)

urlpatterns = router.urls
