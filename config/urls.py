from django.contrib import admin
from django.urls import include, path, register_converter
from django.views.generic import RedirectView

from access.identity import AgentConverter
from config import docs_views, health, well_known
from console import agents, costs, entering, following, home, passwords
from core.ids import IdConverter
from core.registration import protocol_apps
from core.root_path import public_path

register_converter(IdConverter, "id")
register_converter(AgentConverter, "agent")

urlpatterns = [
    *(path("api/v1/", include(config.urlconf)) for config in protocol_apps() if config.urlconf),
    path(".well-known/openintent.json", well_known.ProtocolView.as_view()),
    path(".well-known/openintent-compat.json", well_known.CompatibilityView.as_view()),
    path("openapi.json", docs_views.openapi),
    path("docs", docs_views.page),
    path("problems/<slug:code>", docs_views.problem),
    path("healthz", health.live),
    path("readyz", health.ready),
    path("favicon.ico", RedirectView.as_view(url=public_path("/static/console/icon.svg"))),
    path("admin", RedirectView.as_view(url=public_path("/admin/"))),
    path("admin/enter/", entering.enter, name="console_enter"),
    path("admin/enter/<uidb64>/", passwords.ChoosePassword.as_view(), name="console_choose_password"),
    path("admin/password_change/", admin.site.admin_view(passwords.ChangePassword.as_view())),
    path("admin/follow", following.follow, name="console_follow"),
    path("admin/home/", admin.site.admin_view(home.panels), name="console_panels"),
    path("admin/agents/", admin.site.admin_view(agents.page), name="console_agents"),
    path("admin/agents/<agent:agent_id>/", admin.site.admin_view(agents.one), name="console_agent"),
    path("admin/costs/overview/", admin.site.admin_view(costs.page), name="console_costs"),
    path("admin/costs/export/", admin.site.admin_view(costs.export), name="console_costs_export"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(url=public_path("/docs"))),
]

handler400 = "console.refusing.handler400"
handler403 = "console.refusing.handler403"
handler404 = "console.refusing.handler404"
handler500 = "core.api.exception_handler.handler500"
