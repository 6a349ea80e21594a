"""Live pages: rendered whole once, and their panels again at each event (console/live.js)."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.admin import ModelAdmin

from access.models import Role
from access.roles import has_role
from console.actions import Action, is_allowed, return_url
from core.db import database_now

PANELS_ONLY = "panels"
"""The parameter that asks for the panels alone."""


MAX_SEARCH = 255
"""Characters of a search. Each word is compared with several columns."""


def reject_unknown_parameters(request: HttpRequest, taken: Collection[str]) -> None:
    """Raise BadRequest for a parameter that the page does not take.

    Ignored, a misspelled filter would show everything. Passed on, Django's lists would compare any column of any related
    model with it: secrets could be read from the number of rows, and a regular expression could block the process.
    """
    if unknown := sorted(request.GET.keys() - {*taken, PANELS_ONLY}):
        raise BadRequest(f"Unknown parameter {unknown[0][:60]!r}.")
    if len(request.GET.get("q", "")) > MAX_SEARCH:
        raise BadRequest(f"Search text is limited to {MAX_SEARCH} characters.")


def render_live(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    topic: Mapping[str, str] | None = None,
    event_types: str = "",
    refresh_seconds: int = 0,
    min_seconds: int = 1,
) -> TemplateResponse:
    """Render the page around the panels in `template`, or the panels alone.

    topic: The stream whose events render them again, restricted to `event_types` (separated by blanks; empty: all).
    refresh_seconds: Seconds after which they are rendered again in any case (0: never).
    min_seconds: Minimum seconds between two renderings.

    `context["above"]` may name a template above the panels, which is rendered once. Raise PermissionDenied.
    """
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    context = {"now": database_now(), **context}
    if PANELS_ONLY in request.GET:
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})
    query = request.GET.copy()
    query[PANELS_ONLY] = "1"
    live = {
        "template": template,
        "url": f"{request.path}?{query.urlencode()}",
        "stream_url": reverse("admin:console_follow") + (f"?{urlencode(topic)}" if topic else ""),
        "event_types": event_types,
        "refresh_seconds": refresh_seconds,
        "min_seconds": min_seconds,
    }
    return TemplateResponse(request, "console/live.html", {**admin.site.each_context(request), **context, "live": live})


class LiveAdmin(ModelAdmin):
    """An admin that shows everything to all roles and edits nothing. Changes are actions, which call verbs.

    An object's page renders `detail_template`, with the context of `detail_context`.
    """

    list_per_page = 50
    list_parameters: tuple[str, ...] = ("q", "p")
    """URL parameters of the list besides its filters."""

    show_full_result_count = False
    detail_template: str
    topic: tuple[str, str] | None = None
    """The stream about an object: its parameter, as /admin/follow takes it, and the attribute with its value. None: everything."""

    own_paths: tuple[tuple[str, str, str], ...] = ()
    """Pages beside Django's: the route, the method, and the end of the URL's name after the model's."""

    event_types = ""
    refresh_seconds = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(request, Role.OBSERVER)

    has_module_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the list's own filters alone. They never name a column: console.filters makes them."""
        return lookup in self._filters(request)

    def known_parameters(self, request: HttpRequest) -> set[str]:
        """Return the URL parameters that the list takes."""
        return {*self.list_parameters, *self._filters(request)}

    def _filters(self, request: HttpRequest | None) -> set[str]:
        return {each.parameter_name for each in self.get_list_filter(request)}

    def get_urls(self) -> list[Any]:
        """Add the pages of `own_paths`, and leave out Django's history of an object: the event log has it."""
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(route, self.admin_site.admin_view(getattr(self, method)), name=f"{prefix}_{name}")
            for route, method, name in self.own_paths
        ]
        return [*own, *(each for each in super().get_urls() if not str(each.name or "").endswith("_history"))]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: each for name, each in super().get_actions(request).items() if is_allowed(request, each[0])}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Refuse unknown parameters and forbidden actions, and redirect to the page that sent an action (`back`)."""
        if not self.has_view_permission(request):
            raise PermissionDenied("Your role doesn't have access to this page.")
        reject_unknown_parameters(request, self.known_parameters(request))
        asked = request.POST.get("action")
        if asked and asked not in self.get_actions(request):
            raise PermissionDenied(f"Your role doesn't allow the action {asked!r}.")
        response = super().changelist_view(request, extra_context)
        is_done = asked and isinstance(response, HttpResponseRedirect)
        return HttpResponseRedirect(self.return_url(request) or response.url) if is_done else response

    def return_url(self, request: HttpRequest) -> str | None:
        """Return the path to redirect to after an action that another page than the list sent. None: the list."""
        return return_url(request)

    def cancel_url(self, request: HttpRequest, obj: Any) -> str:
        """Return the path that leads back from the confirmation of an action."""
        return return_url(request) or request.get_full_path()

    def detail_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return the context of an object's page: the object, by the name of its model.

        `min_seconds` in it is the minimum between two renderings of a page that costs much.
        """
        return {str(self.opts.model_name): obj}

    def is_offered(self, request: HttpRequest, name: str, obj: Any) -> bool:
        """Return whether the page of the object has a button for the action. The verb checks again."""
        return True

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET", "HEAD"])  # What can be done is sent to the list, as an action.
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and self.has_view_permission(request, obj):
            return self.object_page(request, obj)
        if PANELS_ONLY in request.GET and self.has_view_permission(request):
            return render_live(request, "console/deleted.html", {"list_url": self._list_url()})
        if not self.has_view_permission(request, obj):
            raise PermissionDenied("You don't have a role in the console.")
        gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return gone

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Raise PermissionDenied before Django looks the object up by the column that `?_to_field=` names."""
        raise PermissionDenied("Deleting is not supported.")

    def object_page(self, request: HttpRequest, obj: Any, more: Mapping[str, Any] | None = None) -> TemplateResponse:
        """Render the page of the object. `more` adds to its context, for instance a form with errors."""
        offered = [(name, each[0]) for name, each in self.get_actions(request).items() if self.is_offered(request, name, obj)]
        context = {
            "object_actions": [(name, run) for name, run in offered if isinstance(run, Action)],
            "list_url": self._list_url(),
            "title": str(obj),
            "opts": self.opts,
            "original": obj,
            **self.detail_context(request, obj),
            **(more or {}),
        }
        parameter, attribute = self.topic or ("", "pk")
        value = getattr(obj, attribute)
        return render_live(
            request,
            self.detail_template,
            context,
            topic={parameter: str(value)} if parameter and value else None,
            event_types=self.event_types,
            refresh_seconds=self.refresh_seconds,
            min_seconds=context.get("min_seconds", 1),
        )

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
