"""Middleware: request log and Content-Security-Policy of the console."""

import logging
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse

from core import request_id
from core.errors import PRIVATE, truncate

CONSOLE = "/admin/"
MAX_PATH = 500  # Characters of a path that the log keeps.
DESTINATION = "HTTP_SEC_FETCH_DEST"  # A browser's: "document" for a page that somebody opens, else what a page has asked for.
log = logging.getLogger("openintent.request")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestLog:
    """Middleware that sets the request id and logs one line per request: never a key, a body or a query value."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = perf_counter()
        current_id = request_id.set_request_id(request.META.get("HTTP_X_REQUEST_ID"))
        response = self.get_response(request)
        response.headers[request_id.HEADER] = current_id
        response.headers.setdefault("Cache-Control", PRIVATE)
        if log.isEnabledFor(logging.INFO):
            fields = {
                "method": request.method,
                "path": truncate(request.path, MAX_PATH),
                "status": response.status_code,
                "ms": round((perf_counter() - started) * 1000, 1),
            }
            log.info(
                "%s %s", request.method, fields["path"], extra={"fields": fields, "destination": request.META.get(DESTINATION)}
            )
        return response


class ConsolePolicy:
    """Middleware that sets the console's Content-Security-Policy. Alpine, which the theme uses, needs 'unsafe-eval'."""

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
            response.headers.setdefault("Cache-Control", "private, no-store")  # Error pages, too.
        return response
