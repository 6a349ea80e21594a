"""Every address of the console, as its URLconf has them."""

import re
from uuid import uuid4

from django.contrib import admin
from django.urls import URLPattern, get_resolver


def routes(patterns, before=""):
    for each in patterns:
        route = before + str(each.pattern).removeprefix("^")
        if isinstance(each, URLPattern):
            yield route.removesuffix("$")
        else:
            yield from routes(each.url_patterns, route)


ROUTES = sorted({each for each in routes(get_resolver().url_patterns) if each.startswith("admin")})


def fill_route(route, newest_ids):
    """The address of the route with, for each of its parts, what is there, and what is not."""
    found = [route]
    for part in re.findall(r"<[^>]+>|\(\?P<app_label>[^)]*\)|\(\?P<url>\.\*\)", route):
        found = [each.replace(part, str(value), 1) for each in found for value in _values(part, route, newest_ids)]
    return ["/" + each for each in dict.fromkeys(found)]


def _values(part, route, newest_ids):
    if "app_label" in part:
        return ["intents", "auth"]
    if "?P<url>" in part:
        return ["nothing/", "%FF", "%00"]
    kind = part[1:].partition(":")[0] if ":" in part else "str"
    there = next((pk for name, pk in newest_ids.items() if name in route), 1)
    hostile = {"int": ["9" * 30], "uuid": [str(uuid4())], "id": [str(uuid4())], "slug": ["status", "zzz"]}
    return [there, *hostile.get(kind, ["%00", "%FF", "9" * 30, "zzz"])]


def newest_ids():
    """Return for each model with rows the path of its pages and the newest id."""
    found = {}
    for model in admin.site._registry:
        if row := model._default_manager.order_by("pk").last():
            found[f"{model._meta.app_label}/{model._meta.model_name}"] = row.pk
    return found
