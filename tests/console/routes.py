"""Every address of the console, as its URLconf has them."""

import re
from uuid import uuid4

from django.contrib import admin
from django.urls import URLPattern, get_resolver


def named_routes(patterns=None, before=""):
    """Yield the name of each address, None if it has none, and the address."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(each.pattern).removeprefix("^")
        if isinstance(each, URLPattern):
            yield each.name, route.removesuffix("$")
        else:
            yield from named_routes(each.url_patterns, route)


ROUTES = sorted({route for _, route in named_routes() if route.startswith("admin")})


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
