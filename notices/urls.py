"""Routes of channels and notices."""

from core.api.views import Router
from notices.views import ArbitrationNoticeViewSet, ChannelViewSet, NoticeViewSet

router = Router()
router.register("channels", ChannelViewSet)
router.register("notices", NoticeViewSet)
router.register("arbitrations/<id:arbitration_id>/notices", ArbitrationNoticeViewSet)

urlpatterns = router.urls
