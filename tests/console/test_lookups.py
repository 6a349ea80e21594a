"""No page lets its address choose what is compared: lists take their own filters, whatever the model, the column and the lookup."""

import pytest
from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from access.roles import role_of
from console.live_admin import LiveAdmin
from subscriptions.models import Subscription

LOOKUPS = [
    "", "__exact", "__iexact", "__regex", "__iregex", "__startswith", "__istartswith", "__endswith", "__contains", "__icontains",
    "__gt", "__gte", "__lt", "__lte", "__in", "__range", "__isnull", "__year", "__date", "__year__gt", "__length", "__0",
]  # fmt: skip
OTHERS = ["o", "all", "e", "_to_field", "_popup", "_facets", "_changelist_filters", "pk", "pk__in", "anything"]
"""What Django's own lists take beside filters."""

MODELS = [*admin.site._registry]

pytestmark = [pytest.mark.case("security H2"), pytest.mark.full]


def url_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def columns(model, *, depth):
    """The names of its columns, and the paths to those of its neighbours: along foreign keys, and against them."""
    for field in model._meta.get_fields(include_hidden=True):
        yield from dict.fromkeys([field.name, getattr(field, "attname", field.name)])
        if field.is_relation and field.related_model and depth:
            yield from (f"{field.name}__{each}" for each in columns(field.related_model, depth=depth - 1))


def taken(model):
    registered = admin.site._registry[model]
    return {*registered.list_parameters, *(each.parameter_name for each in registered.list_filter)}


@pytest.mark.case("security H3")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_a_list_compares_no_column_with_what_its_address_says(person, model):
    asker, url = person("operator").user, url_of(model)
    asked = [f"{column}{lookup}" for column in dict.fromkeys(columns(model, depth=2)) for lookup in LOOKUPS]
    view, tried = resolve(url).func, 0
    assert role_of(asker)  # Its permissions are read once.

    with CaptureQueriesContext(connection) as found:
        for name in {*asked, *OTHERS} - taken(model):
            request = RequestFactory().get(url, {name: "^(a+)+$"})
            request.user = asker
            with pytest.raises(BadRequest):
                view(request)
            assert not admin.site._registry[model].lookup_allowed(name, "a", request), name
            tried += 1

    assert tried > 200
    assert len(found) == 0  # No row was looked at.


@pytest.mark.case("security H3")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_lookup_of_a_column_is_refused_with_a_message(person, model):
    operator, url = person("operator").client, url_of(model)

    for column in {each.name for each in model._meta.get_fields()} - taken(model):
        refused = operator.get(url, {f"{column}__regex": "^(a+)+$"})
        assert refused.status_code == 400
        assert f"Unknown parameter &#x27;{column}__regex&#x27;." in refused.text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_no_filter_of_a_list_is_a_column_of_a_secret(model):
    """Filters are ours, each with its own choices or its own way to read what somebody wrote."""
    registered = admin.site._registry[model]

    assert isinstance(registered, LiveAdmin)
    assert type(registered).lookup_allowed is LiveAdmin.lookup_allowed
    assert {each.__module__ for each in registered.list_filter} <= {"console.filters"}
    assert not {*registered.search_fields} & {"secret", "previous_secret", "digest", "password"}
    assert registered.date_hierarchy is None


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_a_list_takes_its_own_filters(person, model):
    operator, url = person("operator").client, url_of(model)

    assert operator.get(url, {"q": "a"} if "q" in taken(model) else {}).status_code == 200
    for each in admin.site._registry[model].list_filter:
        page = operator.get(url, {each.parameter_name: ""})
        assert page.status_code == 200
        for value, _ in each(page.wsgi_request, {}, model, admin.site._registry[model]).lookup_choices:
            assert operator.get(url, {each.parameter_name: value}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["autocomplete/?app_label=subscriptions&model_name=delivery&field_name=subscription&term=whsec", "r/1/1/", "jsi18n/",
     "subscriptions/subscription/1/history/"],
    ids=["autocomplete", "view on site", "jsi18n", "history"],
)  # fmt: skip
def test_pages_of_django_that_answer_about_any_row_are_not_there(person, path):
    answer = person("operator").get(path, None)

    assert answer.status_code in (302, 404)
    assert answer.headers.get("Location", "/admin/").startswith("/admin/")


@pytest.mark.parametrize("path", ["agents/", "costs/overview/", "costs/export/", "intents/event/"])
def test_a_page_that_is_written_by_hand_takes_what_it_knows(person, path):
    viewer = person("viewer")

    assert viewer.get(path).status_code == 200
    assert viewer.get(path, {"actor__startswith": "a"}).status_code == 400


@pytest.mark.parametrize("name", ["secret", "previous_secret", "callback_url", "id", "pk"])
def test_an_object_is_found_by_its_id_alone(person, api, make_intent, name):
    made = api.post(f"/intents/{make_intent()['id']}/subscriptions", {"callback_url": "https://example.com/hook"}).json()
    kept = Subscription.objects.get(pk=made["id"])

    page = person("viewer").get(f"subscriptions/subscription/{kept.secret}/change/", {"_to_field": name})

    assert (page.status_code, page.headers["Location"]) == (302, "/admin/")


def test_a_viewer_learns_nothing_about_people(person):
    viewer = person("viewer")

    for query in ({}, {"password__startswith": "md5"}, {"role": "operator"}, {"q": "grace"}):
        assert viewer.get("auth/user/", query).status_code == 403
