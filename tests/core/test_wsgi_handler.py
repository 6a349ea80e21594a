"""Cached URL resolution: the same views as Django's own."""

import pytest
from django.urls import Resolver404, get_resolver

from core.serving.wsgi_handler import resolve_path

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
