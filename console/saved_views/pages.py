"""Saved views of lists: the bar above a list, the person's page of all of them, and what is kept."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from access.models import Role
from access.roles import has_role
from console.live_admin import PANELS_ONLY
from console.models import SavedView
from core.db import database_now

MAX_VIEWS = 100
"""Views of a person."""

_NOT_KEPT = ("p", PANELS_ONLY)
"""Parameters that are no part of a view."""


_NAME_PROBLEM = f"Enter a name of at most {SavedView.MAX_NAME} characters."
_TAKEN = "You have a view of this list with this name."


class NameForm(forms.Form):
    name = forms.CharField(max_length=SavedView.MAX_NAME)


class SaveForm(NameForm):
    is_default = forms.BooleanField(required=False)
    page = forms.CharField(max_length=SavedView.MAX_PAGE)
    query = forms.CharField(max_length=SavedView.MAX_QUERY, required=False)


def views_of(request: HttpRequest) -> list[SavedView]:
    """Return the person's views of the list that the request asks for, by name."""
    return [*SavedView.objects.filter(person_id=request.user.pk, page=_page_name(request)).order_by("name")]


def redirect_to_default(request: HttpRequest, views: Sequence[SavedView], known: Collection[str]) -> HttpResponse | None:
    """Return the way to the default view, if there is one and the list takes (`known`) all of its filters."""
    default = next((each for each in views if each.is_default and each.query), None)
    if default is None or not {*QueryDict(default.query)} <= {*known}:
        return None
    return HttpResponseRedirect(f"{request.path}?{default.query}")


def bar(request: HttpRequest, views: Sequence[SavedView] | None) -> dict[str, Any]:
    """Return the context of the bar above a list, which is no part of the panels. `views` are read if they are not known."""
    if PANELS_ONLY in request.GET:
        return {}
    query = _kept_query(request.GET)
    return {
        "saved_views": [(each, each.query == query) for each in (views_of(request) if views is None else views)],
        "view_page": _page_name(request),
        "view_query": query,
        "max_name": SavedView.MAX_NAME,
    }


def list_page(request: HttpRequest) -> HttpResponse:
    """Show the person's views; a POST saves one. Raise PermissionDenied without a role."""
    _require_role(request)
    if request.method == "POST":
        return _save(request)
    names = {page: each.heading for page, each in _lists(request).items()}
    found = SavedView.objects.filter(person_id=request.user.pk).order_by("page", "name")
    shown = [(each, names[each.page], f"{reverse(f'admin:{each.page}')}?{each.query}") for each in found if each.page in names]
    context = {**admin.site.each_context(request), "title": "Saved views", "views": shown, "now": database_now()}
    return TemplateResponse(request, "console/saved_views/list.html", context, headers={"Cache-Control": "no-store"})


def view_page(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Rename or delete a view, or make it the default of its list or not. Raise Http404 for another person's."""
    _require_role(request)
    view = SavedView.objects.filter(pk=view_id, person_id=request.user.pk).first()
    if view is None or request.method != "POST":
        raise Http404("You have no such view.")
    with _alone(request):
        _change(request, view)
    return redirect("admin:console_saved_views")


def _change(request: HttpRequest, view: SavedView) -> None:
    match request.POST.get("do"):
        case "rename":
            form = NameForm(request.POST)
            if not form.is_valid():
                messages.error(request, _NAME_PROBLEM)
            elif _is_taken(view, name := form.cleaned_data["name"]):
                messages.error(request, _TAKEN)
            else:
                SavedView.objects.filter(pk=view.pk).update(name=name)
                messages.success(request, "The view was renamed.")
        case "delete":
            view.delete()
            messages.success(request, "The view was deleted.")
        case "default" | "no_default" as chosen:
            _set_default(view, is_default=chosen == "default")
            messages.success(request, "The list opens with this view." if chosen == "default" else "The list opens unfiltered.")
        case _:
            raise BadRequest("Unknown action.")


def search(request: HttpRequest, query: str) -> list[tuple[str, str]]:
    """Return name and address of the person's views whose names contain the text."""
    pages = {page: each.heading for page, each in _lists(request).items()}
    found = SavedView.objects.filter(person_id=request.user.pk, name__icontains=query).order_by("name")
    return [
        (f"{each.name} ({pages[each.page]})", f"{reverse(f'admin:{each.page}')}?{each.query}")
        for each in found
        if each.page in pages
    ]


def _save(request: HttpRequest) -> HttpResponse:
    form, page, lists = SaveForm(request.POST), request.POST.get("page", ""), _lists(request)
    if page not in lists:
        raise BadRequest("Unknown list.")
    address = reverse(f"admin:{page}")
    if not form.is_valid():
        messages.error(request, _NAME_PROBLEM)
        return redirect(address)
    query = _kept_query(QueryDict(form.cleaned_data["query"]))
    if not {*QueryDict(query)} <= lists[page].known_parameters(request):
        raise BadRequest("Unknown filter.")
    view = SavedView(
        person=cast(User, request.user), page=page, name=form.cleaned_data["name"], query=query, created_at=database_now()
    )
    with _alone(request):
        if len(query) > SavedView.MAX_QUERY:
            messages.error(request, "The filters are too long to save.")
        elif SavedView.objects.filter(person_id=view.person_id).count() >= MAX_VIEWS:
            messages.error(request, f"You have {MAX_VIEWS} saved views. Delete one first.")
        elif _is_taken(view, view.name):
            messages.error(request, _TAKEN)
        else:
            view.save()
            if form.cleaned_data["is_default"]:
                _set_default(view, is_default=True)
            messages.success(request, f"The view “{view.name}” was saved.")
    return redirect(f"{address}?{query or 'q='}")


@contextmanager
def _alone(request: HttpRequest) -> Iterator[None]:
    """Change the person's views while no other request of theirs does."""
    with transaction.atomic():
        User.objects.select_for_update().only("pk").get(pk=cast(User, request.user).pk)
        yield


def _is_taken(view: SavedView, name: str) -> bool:
    others = SavedView.objects.filter(person_id=view.person_id, page=view.page).exclude(pk=view.pk)
    return others.filter(name__iexact=name).exists()


def _set_default(view: SavedView, *, is_default: bool) -> None:
    SavedView.objects.filter(person_id=view.person_id, page=view.page).update(is_default=False)
    SavedView.objects.filter(pk=view.pk).update(is_default=is_default)


def _lists(request: HttpRequest) -> dict[str, Any]:
    """Return the lists that the person may see, by their URL names."""
    lists: list[tuple[Any, Any]] = [*admin.site._registry.items()]
    return {
        f"{model._meta.app_label}_{model._meta.model_name}_changelist": each
        for model, each in lists
        if hasattr(each, "list_template") and each.has_view_permission(request)
    }


def _page_name(request: HttpRequest) -> str:
    return request.resolver_match.url_name or "" if request.resolver_match else ""


def _kept_query(parameters: QueryDict) -> str:
    kept = parameters.copy()
    for name in _NOT_KEPT:
        kept.pop(name, None)
    return kept.urlencode()


def _require_role(request: HttpRequest) -> None:
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
