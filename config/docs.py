"""The API's description, the page that shows it, and the explanation of each problem."""

from functools import cache

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from config import strictjson
from config.errors import ProtocolError

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(description(), content_type="application/json")


@cache
def description() -> bytes:
    """The OpenAPI 3.1 document. It depends on the code alone."""
    return strictjson.dumps(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/page.html", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """What a `type` leads to: the problem and its remedy, for a person or a program."""
    found = ProtocolError.catalogue.get(code)
    if found is None:
        raise Http404(f"There is no problem {code!r}.")
    explained = {
        "code": code,
        "title": found.title,
        "status": found.status,
        "explanation": " ".join((found.__doc__ or "").split()),
    }
    if (request.accepts("text/html") and not request.accepts("application/json")) or "text/html" in request.headers.get(
        "Accept", ""
    ):
        return render(request, "docs/problem.html", explained, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
    return JsonResponse({"type": f"/problems/{code}", **explained})
