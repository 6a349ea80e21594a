"""WSGI handler (core.serving.wsgi_handler): cached URL resolution leads to the same views as Django's own."""

import gc
import weakref
from io import BytesIO

import pytest
from django.test import RequestFactory
from django.urls import Resolver404, get_resolver

from core.serving.wsgi_handler import CachedResolverHandler, resolve_path

FIRST, SECOND = "01a20757-da93-74e1-854c-bbca1021307c", "01a20757-db1c-70d7-801c-eba5f0e67189"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/intents",
        f"/api/v1/intents/{FIRST}",
        f"/api/v1/intents/{FIRST.upper()}",
        "/api/v1/intents/none",
        f"/api/v1/intents/{FIRST}/dependencies/{SECOND}",
        f"/api/v1/intents/{FIRST}/dependencies/{FIRST}",
        f"/api/v1/intents/{FIRST}/agents/{SECOND}",
        f"/api/v1/intents/{FIRST}/agents/bot-{SECOND}",
        f"/api/v1/intents/{FIRST}{SECOND}",
        f"/api/v1/intents/{FIRST}/agents/{'a' * 250}",
        f"/problems/{FIRST}",
        "/docs",
    ],
)
def test_a_known_shape_leads_where_the_patterns_lead(path):
    asked = get_resolver().resolve(path)

    for _ in range(2):
        found = resolve_path(path)
        assert (found.func, found.args, found.kwargs) == (asked.func, asked.args, asked.kwargs)
        assert [type(value) for value in found.kwargs.values()] == [type(value) for value in asked.kwargs.values()]


def test_a_shape_is_not_known_for_another():
    assert resolve_path(f"/api/v1/intents/{FIRST}").kwargs != resolve_path(f"/api/v1/intents/{SECOND}").kwargs
    assert resolve_path("/api/v1/intents/*").kwargs == {"intent_id": "*"}


def test_a_path_that_leads_nowhere_is_not_found_twice():
    for _ in range(2):
        with pytest.raises(Resolver404):
            resolve_path(f"/nowhere/{FIRST}")


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/api/v1/intents", b"", 200),
        ("GET", "/api/v1/events", b"", 200),
        ("POST", "/api/v1/intents", b'{"title": "A goal"}', 201),
        ("POST", "/api/v1/intents", b'{"title": 1}', 400),
        ("POST", "/api/v1/intents", b"{", 400),
        ("DELETE", "/api/v1/intents", b"", 405),
        ("GET", f"/api/v1/intents/{FIRST}", b"", 404),
    ],
)
def test_memory_of_a_request_is_released_without_the_garbage_collector(db, method, path, sent, status):
    handler, statuses = CachedResolverHandler(), []

    def handle():
        body = BytesIO(sent)
        environ = RequestFactory()._base_environ(
            REQUEST_METHOD=method,
            PATH_INFO=path,
            CONTENT_TYPE="application/json",
            CONTENT_LENGTH=str(len(sent)),
            HTTP_HOST="localhost",
            HTTP_X_API_KEY="dev-user-key",
        )
        environ["wsgi.input"] = body
        # It is not closed, which would close the connection of the test.
        handler(environ, lambda line, headers: statuses.append(int(line[:3])))
        return weakref.ref(body)

    handle()  # What is made once may stay.
    gc.disable()
    try:
        assert handle()() is None
    finally:
        gc.enable()
    assert statuses == [status, status]
