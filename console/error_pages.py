"""Error pages of the console: 400, 403 and 404."""

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from core.api import exception_handler
from core.middleware import CONSOLE

API_HANDLERS = {400: exception_handler.handler400, 403: exception_handler.handler403, 404: exception_handler.handler404}
TITLES = {400: "Bad request", 403: "Permission denied", 404: "Not found"}


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the text of a BadRequest. Any other bad request was sent by no page, and may have come before the session."""
    if not isinstance(exception, BadRequest):
        return exception_handler.handler400(request, exception)
    return _render_error(request, exception, 400, str(exception))


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _render_error(request, exception, 403, str(exception))


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Django's own text, where no page has this address, is for programmers.
    said = exception.args[0] if isinstance(exception, Http404) and exception.args else ""
    return _render_error(request, exception, 404, said if isinstance(said, str) else "")


def _render_error(request: HttpRequest, exception: Exception, status: int, said: str) -> HttpResponse:
    """Render a page in the console, a problem document elsewhere. People who are not signed in do not learn what exists."""
    is_ours = request.path_info.startswith(CONSOLE) and (status == 403 or request.user.is_authenticated)
    if not is_ours:
        return API_HANDLERS[status](request, exception)
    context = {**admin.site.each_context(request), "title": TITLES[status], "said": said, "status": status}
    return render(request, "console/error.html", context, status=status)
