"""Documentation views: OpenAPI document, API reference page, and a page per problem code."""

from functools import cache
from threading import Lock
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator

from core import strict_json
from core.api.exception_handler import require_safe
from core.errors import ProtocolError
from core.root_path import public_path

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(description(), content_type="application/json")


def description() -> bytes:
    """Return the OpenAPI 3.1 document, which depends on the code only."""
    with _one_at_a_time:
        return _generate()


_one_at_a_time = Lock()
"""drf-spectacular loads its extensions with the first document, and fails in other threads meanwhile."""


@cache
def _generate() -> bytes:
    return strict_json.dumps(SchemaGenerator().get_schema(request=None, public=True))


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return _page(request, "docs/page.html", {})


@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """Return the page of a problem's `type`: its explanation and remedy, as HTML or JSON."""
    found = ProtocolError.catalogue.get(code)
    if found is None:
        raise Http404(f"There is no problem code {code!r}.")
    explained = {
        "code": code,
        "title": found.title,
        "status": found.status,
        "explanation": " ".join((found.__doc__ or "").split()),
    }
    if "text/html" in request.headers.get("Accept", ""):
        return _page(request, "docs/problem.html", explained)
    return JsonResponse({"type": public_path(f"/problems/{code}"), **explained})


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
