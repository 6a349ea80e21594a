"""Routes of attachments."""

from attachments.views import AttachmentViewSet
from core.api.views import Router

router = Router()
router.register("intents/<id:intent_id>/attachments", AttachmentViewSet)

urlpatterns = router.urls
