"""Routes of API keys."""

from access.views import KeyViewSet
from core.api.views import Router

router = Router()
router.register("keys", KeyViewSet)

urlpatterns = router.urls
