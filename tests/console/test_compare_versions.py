"""Any two versions of an intent, compared."""

import html
import re

import pytest

from console.intents import versions

from .intents import patch


@pytest.fixture
def trip(api, make_intent):
    """An intent of five versions."""
    intent = make_intent(title="Trip <b>", state={"flights": "open", "budget": 10})
    patch(api, intent, {"op": "set", "path": "flights", "value": "<script>"})
    patch(api, intent, {"op": "set", "path": "hotel", "value": "Sol"}, {"op": "remove", "path": "budget"})
    patch(api, intent, {"op": "set", "path": "flights", "value": "open"})
    api.patch(f"/intents/{intent['id']}", {"title": "Trip to Porto"}, version=4)
    return intent


def path(intent):
    return f"intents/intent/{intent['id']}/compare/"


def rows(response):
    found = re.findall(r"<tr><td>(.*?)</td><th[^>]*>(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>", response.text)
    return [tuple(html.unescape(re.sub("<[^>]+>", "", cell)) for cell in row) for row in found]


def test_versions_far_apart_are_compared_in_the_order_of_the_address(person, trip):
    vera = person("viewer")

    forward = vera.get(path(trip), {"from": 1, "to": 4})
    backward = vera.get(path(trip), {"from": 4, "to": 1})

    assert rows(forward) == [("removed", "budget", "10", ""), ("added", "hotel", "", "Sol")]
    assert rows(backward) == [("removed", "hotel", "Sol", ""), ("added", "budget", "", "10")]
    assert "from=4&amp;to=1" in forward.text
    assert 'name="from" type="number" min="1" max="5" value="1"' in forward.text


def test_fields_are_compared_and_what_agents_wrote_is_escaped(person, trip):
    vera = person("viewer")

    assert rows(vera.get(path(trip))) == [("changed", "title", "Trip <b>", "Trip to Porto")]
    shown = vera.get(path(trip), {"from": 2, "to": 5})
    assert ("changed", "flights", "<script>", "open") in rows(shown)
    assert '<script>"' not in shown.text
    assert "These are the same version." in vera.get(path(trip), {"from": 3, "to": 3}).text


def test_the_intent_leads_to_the_comparison(person, trip):
    shown = person("viewer").get(f"intents/intent/{trip['id']}/change/", {"version": 2}).text

    assert f"/admin/{path(trip)}?from=2&amp;to=5" in shown


@pytest.mark.parametrize("number", ["0", "6", "-1", "x", "9" * 30, "\0", "1.5"])
def test_a_version_that_does_not_exist_is_said_to(person, trip, number):
    shown = person("viewer").get(path(trip), {"from": number, "to": "2"})

    assert shown.status_code == 200
    assert "Enter numbers from 1 to 5." in shown.text


def test_an_unknown_parameter_or_nobody_is_refused(person, trip):
    assert person("viewer").get(path(trip), {"form": "1"}).status_code == 400
    assert person(None, "nora").get(path(trip)).status_code in (302, 403)


def test_too_many_changes_are_said(person, trip, monkeypatch):
    monkeypatch.setattr(versions, "MAX_EVENTS", 3)
    versions._compare.cache_clear()

    assert "too many to reconstruct them here" in person("viewer").get(path(trip), {"from": 1, "to": 5}).text
    versions._compare.cache_clear()


def test_the_page_costs_the_same_queries_whatever_the_distance(person, trip):
    vera = person("viewer")

    assert vera.queries(path(trip), {"from": 1, "to": 5}) == vera.queries(path(trip), {"from": 4, "to": 5}) <= 8
