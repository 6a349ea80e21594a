"""Routes of leases."""

from core.api.views import Router
from leasing.views import LeaseListViewSet, LeaseViewSet

router = Router()
router.register("intents/<id:intent_id>/leases", LeaseViewSet)
router.register("leases", LeaseListViewSet)

urlpatterns = router.urls
