"""WSGI handler: Django's, with a cache of URL resolution and a short middleware chain of the API."""

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
LONGEST_CACHED = 200  # Characters of a path whose shape is cached.

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ShortPathMixin:
    """Mixin for Django's handlers that shortens the path of a request.

    It caches the view of each path shape, for which Django would try one pattern after the other at every request.
    API requests pass API_MIDDLEWARE only.
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
        request.resolver_match = found = resolve_path(request.path_info)
        return found


class CachedResolverHandler(ShortPathMixin, WSGIHandler):
    """WSGI handler without the request_started signal: request_finished cleans up as well."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> HttpResponseBase:
        set_script_prefix(get_script_name(environ))
        response = self.get_response(self.request_class(environ))
        cookies = [("Set-Cookie", cookie.output(header="")) for cookie in response.cookies.values()]
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items(), *cookies])
        return response


def resolve_path(path: str) -> ResolverMatch:
    """Return the view of a path, from the cache if possible. Raise Resolver404 if it has none."""
    cached = _resolve_shape(tuple(_ID.split(path))) if len(path) <= LONGEST_CACHED else None
    if cached is None:
        return get_resolver().resolve(path)
    match, converters = cached
    ids = _ID.findall(path)
    kwargs = {**match.kwargs, **{name: convert(ids[index]) for name, index, convert in converters}}
    return ResolverMatch(match.func, match.args, kwargs, match.url_name, route=match.route, captured_kwargs=kwargs)


@lru_cache(maxsize=2_000)
def _resolve_shape(parts: tuple[str, ...]) -> tuple[ResolverMatch, list[tuple[str, int, Callable[[str], UUID | str]]]] | None:
    """Resolve paths with ids between these parts: the match, and name, index and converter of each id. None if it cannot be cached."""
    ids = [new_id() for _ in parts[1:]]
    match = get_resolver().resolve(parts[0] + "".join(f"{pk}{part}" for pk, part in zip(ids, parts[1:], strict=True)))
    converters: list[tuple[str, int, Callable[[str], UUID | str]]] = []
    for index, pk in enumerate(ids):
        names = [name for name, value in match.kwargs.items() if str(value) == str(pk)]
        converters += [(name, index, type(match.kwargs[name])) for name in names]
    return None if len(converters) != len(ids) or match.args else (match, converters)
