"""The admin site: the theme's, with the pages that the console has and no others."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from django.views.decorators.http import require_http_methods
from unfold.sites import UnfoldAdminSite

from access.audit_log import record
from console.entering import SignInForm


class ConsoleSite(UnfoldAdminSite):
    """Leaves out Django's pages about any model: to complete a foreign key, to find an object by its content type.

    They would answer questions about rows that the model's own page does not answer.
    """

    login_form = SignInForm
    index_template = "console/index.html"  # Not admin/index.html: in a wheel, the theme's own would come before it.

    _PAGES = {"index", "login", "logout", "search", "password_change", "app_list"}

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [each for each in super().get_urls() if getattr(each, "name", None) in {*self._PAGES, None}]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return super().admin_view(require_http_methods(["GET", "HEAD", "POST"])(view), cacheable)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The menu's entries that contain `?s=`. They fit one page, whatever `?page=` says."""
        given = request.GET.copy()
        given.pop("page", None)
        request.GET = given  # type: ignore[assignment]
        return super().search(request, extra_context)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        name = f"user:{request.user.get_username()}"
        response: HttpResponse = super().logout(request, extra_context)
        if response.status_code < 400:
            record("signed_out", actor=name, subject=name, address=request.META["REMOTE_ADDR"])
        return response
