"""View set base class of the API (protocol §1)."""

from typing import Any, ClassVar

from rest_framework import viewsets
from rest_framework.request import Request

from core.api import idempotency
from core.api.renderers import JSONRenderer
from core.api.serializers import reject_unknown_parameters

_RENDERER = JSONRenderer()
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class ApiViewSet(viewsets.ViewSet):
    """View set that honours Idempotency-Key; `role` is the role that callers need at least (default: by method)."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    role: ClassVar[Any] = None
    tags: ClassVar[list[str]] = []
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Members of a response that are not stored for repetitions of an Idempotency-Key."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}  # DRF would send Allow with every response; a 405 sends it (core.api.exception_handler).

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        request.accepted_renderer, request.accepted_media_type = _RENDERER, _RENDERER.media_type
        self.perform_authentication(request)
        self.check_permissions(request)
        if request.method in WRITES and hasattr(self, request.method.lower()):
            reject_unknown_parameters(request, [])
        if request.method == "POST" and "HTTP_IDEMPOTENCY_KEY" in request.META:
            self.post: idempotency.Handler = idempotency.idempotent(self.post, secret_fields=self.secret_fields)
