"""Exception handler: problem details for every error (protocol §2, RFC 9457)."""

import logging
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db.utils import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from core import strict_json
from core.api.responses import Response
from core.constraints import refusal_of
from core.errors import (
    CONTENT_TYPE,
    Forbidden,
    Internal,
    Invalid,
    MethodNotAllowed,
    NotFound,
    ProtocolError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)

log = logging.getLogger("openintent.errors")


def to_protocol_error(exception: BaseException) -> ProtocolError:
    """Return the protocol error of an exception. An unexpected exception is logged and becomes Internal."""
    match exception:
        case ProtocolError():
            return exception
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Unauthenticated(str(exception.detail))
        case PermissionDenied() | exceptions.PermissionDenied():
            return Forbidden(str(exception) or "This is not allowed.")
        case Http404() | exceptions.NotFound():
            return NotFound(str(exception) or "Not found.")
        case exceptions.UnsupportedMediaType():
            return UnsupportedMediaType(f"{exception.detail} Send application/json.")
        case exceptions.ValidationError():
            return invalid_from_validation(exception)
        case exceptions.ParseError() | TooManyFieldsSent() | TooManyFilesSent():
            return Invalid(str(exception))
        case RequestDataTooBig():
            return TooLarge("The body of the request is too large.", limit=settings.MAX_BODY)
        case IntegrityError() if refusal := refusal_of(exception):
            log.warning("a constraint refused what no check did", exc_info=exception)
            return refusal
        case OperationalError() | InterfaceError():
            log.error("the database is unavailable", exc_info=exception)
            return Unavailable()
    log.error("unexpected exception", exc_info=exception)
    return Internal()


def invalid_from_validation(exception: exceptions.ValidationError) -> Invalid:
    """Return Invalid with flattened field names: `{"events": {3: {"payload": [...]}}}` is about `events.3.payload`."""
    return Invalid.all(_flatten("", exception.get_full_details()))


def _flatten(path: str, details: Any) -> Iterable[dict[str, str]]:
    if isinstance(details, dict) and "message" in details and "code" in details and isinstance(details["message"], str):
        yield {"field": path, "message": str(details["message"]), "code": str(details["code"])}
    elif isinstance(details, dict):
        for key, value in details.items():
            yield from _flatten(_join(path, key), value)
    else:
        for index, value in enumerate(details):
            nested = isinstance(value, dict) and "message" not in value
            yield from _flatten(_join(path, index) if nested else path, value)


def _join(path: str, key: Any) -> str:
    if key == "non_field_errors":
        return path
    return f"{path}.{key}" if path else str(key)


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response:
    """Roll back the transaction and return the problem response (DRF's EXCEPTION_HANDLER)."""
    set_rollback()
    if isinstance(exception, exceptions.MethodNotAllowed):
        refusal: ProtocolError = method_not_allowed(context["request"].method, context["view"].allowed_methods)
    else:
        refusal = to_protocol_error(exception)
    return Response(refusal.body(), status=refusal.status, headers=refusal.headers, content_type=CONTENT_TYPE)


def method_not_allowed(method: str | None, allowed: Iterable[str]) -> MethodNotAllowed:
    methods = ", ".join(allowed)
    return MethodNotAllowed(f"{method} is not allowed here; allowed: {methods}.", headers={"Allow": methods})


def require_safe(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of Django views that accept GET and HEAD only."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **kwargs)
        return problem_response(method_not_allowed(request.method, ["GET", "HEAD"]))

    return guarded


def problem_response(refusal: ProtocolError) -> HttpResponse:
    """Return the problem response of an error raised outside of DRF."""
    return HttpResponse(
        strict_json.dumps(refusal.body()), status=refusal.status, headers=refusal.headers, content_type=CONTENT_TYPE
    )


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(Invalid(str(exception) or "The request cannot be read."))


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(to_protocol_error(exception))


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(NotFound(f"There is nothing at {request.path}."))


def handler500(request: HttpRequest) -> HttpResponse:
    """Return the response to an exception outside of DRF, which nothing else logs."""
    exception = sys.exc_info()[1]
    return problem_response(to_protocol_error(exception) if exception else Internal())
