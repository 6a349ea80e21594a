"""View set base class and router of the API (protocol §1)."""

from math import ceil
from typing import Any, ClassVar, NoReturn, cast

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.routers import Route, SimpleRouter

from core.api import idempotency
from core.api.filters import StrictFilterBackend
from core.api.pagination import KeysetPagination
from core.api.representation import ResponseSerializer
from core.api.responses import Response
from core.api.serializers import StrictSerializer, reject_unknown_parameters, validate_data
from core.api.throttling import KeyThrottle
from core.errors import RateLimited

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class ApiViewSet(viewsets.GenericViewSet[Any]):
    """View set that honours Idempotency-Key and renders responses; `role` is the role that callers need at least (default: by method)."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    throttle_classes = [KeyThrottle]
    filter_backends = [StrictFilterBackend]
    pagination_class = KeysetPagination
    lookup_value_converter = "id"
    serializer_class: type[ResponseSerializer]
    role: ClassVar[Any] = None
    tags: ClassVar[list[str]] = []
    secret_fields: ClassVar[tuple[str, ...]] = ()
    """Members of a response that are not stored for repetitions of an Idempotency-Key."""
    filterset_class: ClassVar[Any] = None
    list_name: ClassVar[str]
    """Name of the items in a list's response."""
    ordering: ClassVar[tuple[str, ...]] = ("id",)
    orderings: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Further orders, by the names under which clients choose them."""
    ordering_parameter: ClassVar[str] = "ordering"

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}  # DRF would send Allow with every response; a 405 sends it (core.api.exception_handler).

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            # Its methods and its request refer to it: else it would keep request and response until the next garbage collection.
            getattr(self.request, "parser_context", {}).clear()
            self.__dict__.clear()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.perform_authentication(request)
        self.check_throttles(request)  # Before the permissions: refused requests count, too.
        self.check_permissions(request)
        if request.method in WRITES and hasattr(self, request.method.lower()):
            reject_unknown_parameters(request, [])
        if request.method == "POST" and "HTTP_IDEMPOTENCY_KEY" in request.META:
            self.post: idempotency.Handler = idempotency.idempotent(self.post, secret_fields=self.secret_fields)

    def throttled(self, request: Request, wait: float | None) -> NoReturn:
        raise RateLimited(max(1, ceil(wait or 0)))

    def validated(self, body: type[StrictSerializer]) -> dict[str, Any]:
        """Return the validated request body. Raise ValidationError with every invalid field."""
        return validate_data(body, self.request.data)

    def respond(self, instance: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """Return the response with the representation of the instance."""
        return Response(self.serializer_class.render(instance), status=status, headers=headers)

    def respond_list(self, queryset: QuerySet[Any], **members: Any) -> Response:
        """Return the response with a page of the queryset, filtered by the request's parameters, and further members.

        Raise Invalid if a parameter is.
        """
        page = self.paginate_queryset(self.filter_queryset(queryset))
        return self.get_paginated_response([*map(self.serializer_class.render, page or ())], **members)

    def get_paginated_response(self, data: Any, **members: Any) -> Response:  # type: ignore[override]
        """Return the response with the items of a page, and further members."""
        paginator: Any = self.paginator
        return cast(Response, paginator.get_paginated_response(data, **members))


class Router(SimpleRouter):
    """Router without trailing slashes, whose prefixes have path converters: `intents/<id:intent_id>/leases`."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)

    def get_default_basename(self, viewset: type[Any]) -> str:
        return viewset.__name__

    def _get_dynamic_route(self, route: Any, action: Any) -> Route:
        found = super()._get_dynamic_route(route, action)
        found.initkwargs.pop("schema", None)  # Else every request would set it on its view; drf-spectacular finds it itself.
        return found
