"""The server's addresses, and one view that does nothing: what Django, DRF and HTTP cost by themselves."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.views import APIView

from config import urls
from config.urls import handler400, handler403, handler404, handler500
from core.api.responses import Response

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class Empty(APIView):
    """Lies below /api/ and asks for no key: it passes the same middleware as the API, and does the least."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [path("api/bench/empty", Empty.as_view()), *urls.urlpatterns]
