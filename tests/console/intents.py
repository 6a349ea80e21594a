"""Helpers of the tests of an intent's page."""

from tests.conftest import fresh


def page(person, intent, **query):
    response = person.get(f"intents/intent/{intent['id']}/change/", query)
    assert response.status_code == 200
    return response


def patch(api, intent, *patches):
    body = {"patches": [*patches]}
    response = api.post(f"/intents/{intent['id']}/state", body, version=fresh(api, intent)["version"])
    assert response.status_code == 200, response.json()
    return response.json()
