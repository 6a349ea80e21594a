"""The view set of the API (protocol §1)."""

from typing import Any, ClassVar

from rest_framework import viewsets
from rest_framework.request import Request

from core.api import idempotency
from core.api.renderers import JSONRenderer
from core.api.serializers import reject_unknown_parameters

_RENDERER = JSONRenderer()
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class ApiViewSet(viewsets.ViewSet):
    """A view that answers an Idempotency-Key; `role` is the least that a caller needs (default: by method)."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    role: ClassVar[Any] = None
    tags: ClassVar[list[str]] = []
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Members of an answer that are not kept for whoever repeats an Idempotency-Key."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}  # DRF would list the methods on every answer; a 405 lists them (core.api.exception_handler).

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        request.accepted_renderer, request.accepted_media_type = _RENDERER, _RENDERER.media_type
        self.perform_authentication(request)
        self.check_permissions(request)
        if request.method in WRITES and hasattr(self, request.method.lower()):
            reject_unknown_parameters(request, [])
        if request.method == "POST" and "HTTP_IDEMPOTENCY_KEY" in request.META:
            self.post: idempotency.Handler = idempotency.idempotent(self.post, secret_fields=self.secret_fields)
