"""Routes of retry policies and failures."""

from core.api.views import Router
from retries.views import FailureViewSet, RetryPolicyViewSet

router = Router()
router.register("intents/<id:intent_id>", RetryPolicyViewSet)
router.register("intents/<id:intent_id>/failures", FailureViewSet)

urlpatterns = router.urls
