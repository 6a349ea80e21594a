"""Routes of portfolios and their members."""

from core.api.views import Router
from portfolios.views import IntentPortfolioViewSet, MemberViewSet, PortfolioViewSet

router = Router()
router.register("portfolios", PortfolioViewSet)
router.register("portfolios/<id:portfolio_id>/intents", MemberViewSet)
router.register("intents/<id:intent_id>/portfolios", IntentPortfolioViewSet)

urlpatterns = router.urls
