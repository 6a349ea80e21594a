"""Django's middleware, of which an API request passes only what it needs."""

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

from core import request_id
from core.errors import PRIVATE, shorten

API = "/api/"
CONSOLE = "/admin/"
MAX_PATH = 500  # Characters of a path that the log keeps.
log = logging.getLogger("openintent.request")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestLog:
    """Gives each request its id, and the log one line about it: never a key, a body or a query value."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = perf_counter()
        chosen = request_id.begin(request.META.get("HTTP_X_REQUEST_ID"))
        response = self.get_response(request)
        response.headers[request_id.HEADER] = chosen
        response.headers.setdefault("Cache-Control", PRIVATE)
        if log.isEnabledFor(logging.INFO):
            fields = {
                "method": request.method,
                "path": shorten(request.path, MAX_PATH),
                "status": response.status_code,
                "ms": round((perf_counter() - begun) * 1000, 1),
            }
            log.info("%s %s", request.method, fields["path"], extra={"fields": fields})
        return response


class _ConsoleOnly:
    """Mixed into a middleware, lets the API's requests pass it by."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(API):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class StaticFiles(_ConsoleOnly, WhiteNoiseMiddleware):
    pass


class Sessions(_ConsoleOnly, SessionMiddleware):
    pass


class Csrf(_ConsoleOnly, CsrfViewMiddleware):
    def process_view(self, request, callback, args, kwargs):  # type: ignore[no-untyped-def]
        if request.path_info.startswith(API):  # A key in a header cannot be forged by another site's form.
            return None
        return super().process_view(request, callback, args, kwargs)


class Authentication(_ConsoleOnly, AuthenticationMiddleware):
    pass


class Messages(_ConsoleOnly, MessageMiddleware):
    pass


class FrameOptions(_ConsoleOnly, XFrameOptionsMiddleware):
    pass


class ConsolePolicy:
    """What the console's pages may load and do. Alpine, on which the theme is built, evaluates its attributes: 'unsafe-eval'."""

    HEADER = "Content-Security-Policy"
    POLICY = (
        "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(CONSOLE):
            response.headers.setdefault(self.HEADER, self.POLICY)
            response.headers.setdefault("Cache-Control", "private, no-store")  # Pages about errors as well.
        return response
