"""Middleware: the request log, and the security policy of the console's pages."""

import logging
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse

from core import request_id
from core.errors import PRIVATE, truncate

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
        chosen = request_id.set_request_id(request.META.get("HTTP_X_REQUEST_ID"))
        response = self.get_response(request)
        response.headers[request_id.HEADER] = chosen
        response.headers.setdefault("Cache-Control", PRIVATE)
        if log.isEnabledFor(logging.INFO):
            fields = {
                "method": request.method,
                "path": truncate(request.path, MAX_PATH),
                "status": response.status_code,
                "ms": round((perf_counter() - begun) * 1000, 1),
            }
            log.info("%s %s", request.method, fields["path"], extra={"fields": fields})
        return response


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
