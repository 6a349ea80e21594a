"""What the pages of keys and of people share."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.roles import is_operator
from core.db import database_now


class OperatorPages:
    """Mixed into an admin whose objects operators make, and of which something is shown once."""

    admin_site: Any
    opts: Any

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        """A page that nobody keeps. What is shown once stands on one: not in a message, which would travel in a cookie."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "now": database_now(), **context}
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})
