"""Admin site of the console: the theme's, with the console's pages and no others."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_http_methods
from unfold.sites import UnfoldAdminSite

from access.audit_log import record
from console import dashboard, drafts, event_stream, search
from console.agents import pages as agents
from console.audit import pages as audit
from console.channels import my_notices
from console.costs import views as costs
from console.reader_zone import in_reader_zone
from console.saved_views import pages as saved_views
from console.sign_in import passwords
from console.sign_in.views import (
    SignInForm,
    forget_page,
    print_sign_in_link,
    remember_page,
    sign_in_help,
    use_sign_in_link,
)


class ConsoleSite(UnfoldAdminSite):
    """Leaves out Django's pages about any model: to complete a foreign key, to find an object by its content type.

    They would answer questions about rows that the model's own page does not answer.
    """

    login_form = SignInForm
    login_template = "console/sign_in/sign_in.html"
    app_index_template = "console/app_index.html"
    index_template = "console/dashboard/index.html"  # Not admin/index.html: in a wheel, the theme's own would come before it.

    _PAGES = {"index", "login", "logout", "password_change", "app_list"}

    def get_urls(self) -> list[URLPattern | URLResolver]:
        view = self.admin_view
        return [
            path("enter/", use_sign_in_link, name="console_enter"),
            path("enter/new/", print_sign_in_link, name="console_print_sign_in_link"),
            path("enter/<uidb64>/", passwords.ChoosePasswordView.as_view(), name="console_choose_password"),
            path("password_change/", view(passwords.ChangePasswordView.as_view()), name="password_change"),
            path("follow", event_stream.open_stream, name="console_follow"),
            path("session/", drafts.session_state, name="console_session"),
            path("search/", view(search.results), name="console_search"),
            path("my-notices/", view(my_notices.list_page), name="console_my_notices"),
            path("my-notices/<uuid:channel_id>/", view(my_notices.channel_page), name="console_my_channel"),
            path("views/", view(saved_views.list_page), name="console_saved_views"),
            path("views/<uuid:view_id>/", view(saved_views.view_page), name="console_saved_view"),
            path("home/", view(dashboard.panels), name="console_panels"),
            path("agents/", view(agents.list_page), name="console_agents"),
            path("agents/<agent:agent_id>/", view(agents.detail_page), name="console_agent"),
            path("audit/", view(audit.list_page), name="console_audit"),
            path("audit/export.csv", view(audit.export), {"form": "csv"}, name="console_audit_csv"),
            path("audit/export.jsonl", view(audit.export), {"form": "jsonl"}, name="console_audit_jsonl"),
            path("costs/overview/", view(costs.report_page), name="console_costs"),
            path("costs/export/", view(costs.export_csv), name="console_costs_export"),
            *(each for each in super().get_urls() if getattr(each, "name", None) in {*self._PAGES, None}),
        ]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        return super().admin_view(
            require_http_methods(["GET", "HEAD", "POST"])(in_reader_zone(drafts.record_once(view))), cacheable
        )

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "recorded_drafts": drafts.recorded_drafts(request)}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().login(request, {**(extra_context or {}), **sign_in_help(request)})
        if request.user.is_authenticated:
            forget_page(response)
        else:
            remember_page(request, response)
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        name = f"user:{request.user.get_username()}"
        response: HttpResponse = super().logout(request, extra_context)
        if response.status_code < 400:
            record("signed_out", actor=name, subject=name, address=request.META["REMOTE_ADDR"])
        return response
