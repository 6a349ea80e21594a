"""Route of plans."""

from core.api.views import Router
from plans.views import PlanViewSet

router = Router()
router.register("intents/batch", PlanViewSet)

urlpatterns = router.urls
