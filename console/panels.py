"""Pages that the server writes in one piece, and then, each time that something happens, their panels again (console/home.js)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from access.models import Role
from access.people import may
from config.db import clock
from console.admin import ReadOnlyAdmin

AGAIN = "panels"
"""The parameter with which the script asks for the panels alone."""


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
    if not may(request, Role.OBSERVER):
        raise PermissionDenied("You have no role in the console.")
    context = {"now": clock(), **context}
    if AGAIN in request.GET:
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})
    query = request.GET.copy()
    query[AGAIN] = "1"
    live = {
        "template": template,
        "url": f"{request.path}?{query.urlencode()}",
        "follow": "/admin/follow" + (f"?{urlencode(follow)}" if follow else ""),
        "only": only,
        "every": every,
        "pace": pace,
    }
    return TemplateResponse(request, "console/live.html", {**admin.site.each_context(request), **context, "live": live})


class PanelsAdmin(ReadOnlyAdmin):
    """An object's page is made of panels, which `panels` fills."""

    panels_template: str
    only = ""
    every = 0

    def panels(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the template shows besides the object itself."""
        return {}

    def follows(self, obj: Any) -> dict[str, str]:
        """The stream that tells of the object, as /admin/follow takes it; empty: everything."""
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_view_permission(request, obj):
            return super().change_view(request, object_id, form_url, extra_context)
        return self.object_page(request, obj)

    def object_page(self, request: HttpRequest, obj: Any, more: Mapping[str, Any] | None = None) -> TemplateResponse:
        """The page of the object; `more` is for its template, as the answer to a form is."""
        context = {
            **self.verbs_context(request, obj),
            "title": str(obj),
            "opts": self.opts,
            "original": obj,
            **self.panels(request, obj),
            **(more or {}),
        }
        return answer(request, self.panels_template, context, follow=self.follows(obj), only=self.only, every=self.every)
