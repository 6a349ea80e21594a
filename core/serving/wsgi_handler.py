"""Django's WSGI handler, with a shorter way to a view."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, get_script_name
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver, set_script_prefix, set_urlconf
from django.utils.module_loading import import_string

from core.ids import new_id

API = "/api/"
LONGEST_KNOWN = 200  # Characters of a path whose shape is kept.

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ShortPathMixin:
    """Shorter path of a request through any of Django's handlers.

    It remembers where each shape of a path leads, which Django would look up anew for every request. Requests of the API pass
    the middleware of API_MIDDLEWARE alone.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        handler: Any = self
        cast(Any, super()).load_middleware(is_async)
        chain: Any = convert_exception_to_response(handler._get_response)
        for name in reversed(settings.API_MIDDLEWARE):
            chain = convert_exception_to_response(import_string(name)(chain))
        self._api_chain = chain

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            return cast(HttpResponseBase, cast(Any, super()).get_response(request))
        cast(Any, request).csrf_processing_done = True
        set_urlconf(settings.ROOT_URLCONF)
        response = self._api_chain(request)
        response._resource_closers.append(request.close)
        return cast(HttpResponseBase, response)

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.resolver_match = found = _resolve(request.path_info)
        return found


class CachedResolverHandler(ShortPathMixin, WSGIHandler):
    """WSGI handler that leaves out the signal at the start of a request: the one at its end tidies up as well."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> HttpResponseBase:
        set_script_prefix(get_script_name(environ))
        response = self.get_response(self.request_class(environ))
        cookies = [("Set-Cookie", cookie.output(header="")) for cookie in response.cookies.values()]
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items(), *cookies])
        return response


def _resolve(path: str) -> ResolverMatch:
    """Raises Resolver404."""
    if len(path) <= LONGEST_KNOWN and (way := _way(tuple(_ID.split(path)))):
        match, readers = way
        ids = _ID.findall(path)
        kwargs = {**match.kwargs, **{name: read(ids[number]) for name, number, read in readers}}
        return ResolverMatch(
            match.func,
            match.args,
            kwargs,
            match.url_name,
            route=match.route,
            captured_kwargs=kwargs,
        )
    return get_resolver().resolve(path)


@lru_cache(maxsize=2_000)
def _way(parts: tuple[str, ...]) -> tuple[ResolverMatch, list[tuple[str, int, Callable[[str], UUID | str]]]] | None:
    """Where a path leads that has ids between these parts, and which argument takes which id; None if it is not that simple."""
    ids = [new_id() for _ in parts[1:]]
    match = get_resolver().resolve(parts[0] + "".join(f"{pk}{part}" for pk, part in zip(ids, parts[1:], strict=True)))
    readers: list[tuple[str, int, Callable[[str], UUID | str]]] = []
    for number, pk in enumerate(ids):
        names = [name for name, value in match.kwargs.items() if str(value) == str(pk)]
        readers += [(name, number, type(match.kwargs[name])) for name in names]
    if len(readers) != len(ids) or match.args:
        return None
    return match, readers
