"""Mixin of the pages of API keys and of users."""

from typing import Any, cast

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.roles import is_operator
from console.actions import ActionForm, Page
from core.db import database_now
from core.errors import ProtocolError


class OperatorPages:
    """An admin whose objects operators create, with values that are shown once."""

    admin_site: Any
    opts: Any
    create: Any

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_operator(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self.create(request, [None])

    def page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """Render a page that no cache keeps. A secret stands on a page: a message would travel in a cookie."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "now": database_now(), **context}
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})


def form_page(template: str, title: str, *, name: str = "") -> Page:
    """Return the page of an action: its form, which says why the verb refused. The template knows the object by `name`."""

    def render(self: Any, request: HttpRequest, obj: Any, form: ActionForm, refusal: ProtocolError | None) -> HttpResponse:
        if refusal:
            form.refuse(refusal)
        return cast(HttpResponse, self.page(request, template, title=title, form=form, **({name: obj} if name else {})))

    return render
