"""Routes of leases."""

from core.api.views import Router
from leasing.views import LeaseListViewSet, LeaseQueueViewSet, LeaseViewSet

router = Router()
router.register("intents/<id:intent_id>/leases", LeaseViewSet)
router.register("intents/<id:intent_id>/lease-queue", LeaseQueueViewSet)
router.register("leases", LeaseListViewSet)

urlpatterns = router.urls
