"""Saved views: a person's named filters of a list, above it, on a page of their own, and in the search."""

import html
import re

import pytest

from console.models import SavedView
from console.saved_views.pages import MAX_VIEWS

LIST = "intents/intent/"
BLOCKED = {"page": "intents_intent_changelist", "query": "status__exact=blocked&q=porto&p=3", "name": "Blocked in Porto"}


def links(response):
    """Return text and address of each saved view above a list."""
    nav = re.search(r'<nav class="oi-views-list".*?</nav>', response.text, re.DOTALL)
    found = re.findall(r'<a href="(\?[^"]*)"[^>]*>([^<]*)</a>', nav[0]) if nav else []
    return {html.unescape(text): html.unescape(address) for address, text in found}


def save(person, **fields):
    return person.post("views/", {**BLOCKED, **fields}, follow=True)


def view_of(person):
    return SavedView.objects.get(person=person.user)


def change(person, view, do, **fields):
    return person.post(f"views/{view.pk}/", {"do": do, **fields}, follow=True)


@pytest.fixture
def grace(person):
    return person("viewer")


def test_a_view_is_saved_and_linked_above_its_list_alone(grace, make_intent):
    make_intent(title="Porto office")

    saved = save(grace)

    assert "The view “Blocked in Porto” was saved." in saved.text
    assert saved.redirect_chain == [("/admin/intents/intent/?status__exact=blocked&q=porto", 302)]
    assert links(grace.get(LIST)) == {"All": "?q=", "Blocked in Porto": "?status__exact=blocked&q=porto"}
    assert 'aria-current="page">Blocked in Porto' in grace.get(LIST, {"status__exact": "blocked", "q": "porto"}).text
    assert links(grace.get("leasing/lease/")) == {}


def test_the_page_of_views_names_their_filters_in_words(grace):
    save(grace)

    assert '<p class="oi-row-meta">status: blocked, q: porto</p>' in grace.get("views/").text


def test_a_default_view_opens_with_the_list_and_not_with_a_choice(grace):
    save(grace, is_default="on")

    assert grace.get(LIST)["Location"] == "/admin/intents/intent/?status__exact=blocked&q=porto"
    assert grace.get(LIST, {"q": ""}).status_code == 200
    assert grace.get(LIST, {"panels": "1"}).status_code == 200
    change(grace, view_of(grace), "no_default")
    assert grace.get(LIST).status_code == 200


def test_a_list_has_one_default_view(grace):
    save(grace, is_default="on")
    save(grace, name="Mine", query="q=mine", is_default="on")

    assert grace.get(LIST)["Location"] == "/admin/intents/intent/?q=mine"
    change(grace, SavedView.objects.get(name="Blocked in Porto"), "default")
    assert grace.get(LIST)["Location"] == "/admin/intents/intent/?status__exact=blocked&q=porto"
    assert SavedView.objects.filter(is_default=True).count() == 1


def test_views_are_renamed_and_deleted_on_their_page(grace):
    save(grace)

    assert "The view was renamed." in change(grace, view_of(grace), "rename", name="In Porto").text
    page = grace.get("views/").text
    assert "In Porto" in page
    assert "/admin/intents/intent/?status__exact=blocked&amp;q=porto" in page
    change(grace, view_of(grace), "delete")
    assert "No saved views" in grace.get("views/").text
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "Enter a name"),
        ({"name": "n" * 101}, "Enter a name"),
        ({"name": "a\0b"}, "Enter a name"),
        ({"name": "blocked IN porto"}, "You have a view of this list with this name."),
        ({"name": "Long", "query": "q=" + "ü" * 1_000}, "too long to save"),
    ],
)
def test_a_view_that_cannot_be_saved_says_why(grace, fields, says):
    save(grace)

    assert says in save(grace, **fields).text
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("page", ["", "index", "console_audit", "auth_user_changelist", "intents_intent_change", "zzz"])
def test_view_of_anything_but_a_list_of_the_person_is_refused(grace, page):
    assert grace.post("views/", {**BLOCKED, "page": page}).status_code == 400
    assert not SavedView.objects.exists()


def test_filters_that_the_list_does_not_take_are_refused_or_passed_over(grace):
    assert grace.post("views/", {**BLOCKED, "query": "zzz=1"}).status_code == 400
    assert not SavedView.objects.exists()

    save(grace, is_default="on")
    SavedView.objects.update(query="gone=1")  # As of an older release.
    assert grace.get(LIST).status_code == 200


def test_a_person_has_a_hundred_views_at_most(grace):
    SavedView.objects.bulk_create(
        SavedView(person=grace.user, page="x", name=str(number), created_at="2026-01-01T00:00:00Z") for number in range(MAX_VIEWS)
    )

    assert "Delete one first" in save(grace).text
    assert SavedView.objects.count() == MAX_VIEWS


def test_views_are_their_persons_own(grace, person):
    save(grace)
    other = person("operator", "olga")

    assert links(other.get(LIST)) == {}
    assert "Blocked in Porto" not in other.get("views/").text
    for do in ("rename", "delete", "default"):
        assert change(other, view_of(grace), do, name="Taken").status_code == 404
    assert view_of(grace).name == "Blocked in Porto"
    assert "was saved" in save(other).text


def test_views_need_a_role_and_a_known_action(grace, person):
    save(grace)

    assert person(None, "nobody").get("views/").status_code == 302
    assert change(grace, view_of(grace), "zzz").status_code == 400
    assert grace.get(f"views/{view_of(grace).pk}/").status_code == 404


def test_views_are_found_by_the_search(grace, person):
    save(grace)

    found = grace.get("search/", {"q": "porto"}).text

    assert "Blocked in Porto (Intents)" in found
    assert "/admin/intents/intent/?status__exact=blocked&amp;q=porto" in found
    assert "Blocked in Porto" not in person("operator", "olga").get("search/", {"q": "porto"}).text


def test_names_are_escaped(grace):
    save(grace, name="<script>alert(1)</script>")

    for page in (grace.get(LIST), grace.get("views/"), grace.get("search/", {"q": "script"})):
        assert "<script>alert(1)" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
