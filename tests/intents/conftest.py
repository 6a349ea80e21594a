"""Helpers and fixtures of the graph."""

import pytest

from tests.conftest import fresh


def ids(response):
    assert response.status_code == 200, response.json()
    return [intent["id"] for intent in response.json()["intents"]]


@pytest.fixture
def make_child(api):
    def make(parent, **fields):
        response = api.post(f"/intents/{parent['id']}/children", {"title": "A part", **fields})
        assert response.status_code == 201, response.json()
        return response.json()

    return make


def depend(api, intent, *others):
    return api.post(
        f"/intents/{intent['id']}/dependencies",
        {"depends_on": [other["id"] for other in others]},
        version=fresh(api, intent)["version"],
    )
