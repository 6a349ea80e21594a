"""Pages that the server writes in one piece, and then, each time that something happens, their panels again (console/live.js)."""

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
from django.urls import reverse
from unfold.admin import ModelAdmin

from access.models import Role
from access.roles import has_role
from console.actions import Action, is_allowed, return_url
from core.db import database_now

AGAIN = "panels"
"""The parameter with which the script asks for the panels alone."""


MAX_SEARCH = 255
"""Characters that somebody may search for. Each word of them is compared with several columns."""


def refuse_unknown(request: HttpRequest, taken: Collection[str]) -> None:
    """Raise BadRequest where the address says something that the page does not take.

    Passed over, a misspelt filter would show everything. Passed on, Django's lists would compare any column of any related
    model with it, in any way: secrets could be read from the number of rows, and a regular expression holds the process up.
    """
    if unknown := sorted(request.GET.keys() - {*taken, AGAIN}):
        raise BadRequest(f"Unknown parameter {unknown[0][:60]!r}.")
    if len(request.GET.get("q", "")) > MAX_SEARCH:
        raise BadRequest(f"Search text is limited to {MAX_SEARCH} characters.")


def answer(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    follow: Mapping[str, str] | None = None,
    only: str = "",
    every: int = 0,
    pace: int = 1,
) -> TemplateResponse:
    """The page around the panels in `template`, or the panels alone. They are written anew at each event of the stream `follow`.

    `only` are the types of events that matter, with blanks between them (empty: all); `every` so many seconds they are written
    anew in any case (0: never), and at most every `pace` seconds. `context["above"]` may name a template of what stands above
    the panels, and is written once. Raises PermissionDenied.
    """
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    context = {"now": database_now(), **context}
    if AGAIN in request.GET:
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})
    query = request.GET.copy()
    query[AGAIN] = "1"
    live = {
        "template": template,
        "url": f"{request.path}?{query.urlencode()}",
        "follow": reverse("admin:console_follow") + (f"?{urlencode(follow)}" if follow else ""),
        "only": only,
        "every": every,
        "pace": pace,
    }
    return TemplateResponse(request, "console/live.html", {**admin.site.each_context(request), **context, "live": live})


class PanelsAdmin(ModelAdmin):
    """Shows everything to everybody who may look, edits nothing; what can be done are actions, each of which calls a verb.

    An object's page is made of panels, which `panels` fills.
    """

    list_per_page = 50
    list_parameters: tuple[str, ...] = ("q", "p")
    """What a list's address may say besides its filters."""

    show_full_result_count = False
    panels_template: str
    only = ""
    every = 0

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_role(request, Role.OBSERVER)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(request, Role.OBSERVER)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the list's own filters take, which never name a column: they are made by console.filters."""
        return lookup in self._filters(request)

    def _filters(self, request: HttpRequest | None) -> set[str]:
        return {each.parameter_name for each in self.get_list_filter(request)}

    def get_urls(self) -> list[Any]:
        """Without Django's own history of an object: there is none, the log has it."""
        return [each for each in super().get_urls() if not str(each.name or "").endswith("_history")]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: each for name, each in super().get_actions(request).items() if is_allowed(request, each[0])}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What is sent past the page, which offers only what is allowed, is refused and not passed over in silence.

        What is sent from another page, which then names itself as `back`, leads there.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied("Your role doesn't have access to this page.")
        refuse_unknown(request, {*self.list_parameters, *self._filters(request)})
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

    def panels(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the template shows besides the object itself."""
        return {}

    def follows(self, obj: Any) -> dict[str, str]:
        """The stream that tells of the object, as /admin/follow takes it; empty: everything."""
        return {}

    def offers(self, request: HttpRequest, name: str, obj: Any) -> bool:
        """Whether the page of this object has a button for the action. The verb itself decides what becomes of it."""
        return True

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET", "HEAD"])  # What can be done is sent to the list, as an action.
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and self.has_view_permission(request, obj):
            return self.object_page(request, obj)
        if AGAIN in request.GET and self.has_view_permission(request):
            return answer(request, "console/deleted.html", {"list_url": self._list_url()})
        if not self.has_view_permission(request, obj):
            raise PermissionDenied("You don't have a role in the console.")
        gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return gone

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Raise PermissionDenied for everybody, before Django looks the object up by the column that `?_to_field=` names."""
        raise PermissionDenied("Deleting is not supported.")

    def object_page(self, request: HttpRequest, obj: Any, more: Mapping[str, Any] | None = None) -> TemplateResponse:
        """The page of the object; `more` is for its template, as the answer to a form is."""
        context = {
            "verbs": [(name, run) for name, run in self._verbs(request) if self.offers(request, name, obj)],
            "list_url": self._list_url(),
            "title": str(obj),
            "opts": self.opts,
            "original": obj,
            **self.panels(request, obj),
            **(more or {}),
        }
        return answer(request, self.panels_template, context, follow=self.follows(obj), only=self.only, every=self.every)

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def _verbs(self, request: HttpRequest) -> list[tuple[str, Action]]:
        """The buttons of an object's page."""
        return [(name, each[0]) for name, each in self.get_actions(request).items() if isinstance(each[0], Action)]
