from django.contrib import admin
from django.urls import include, path, register_converter
from django.views.generic import RedirectView

from access.identity import AgentConverter
from config import docs_views, health, well_known
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
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(url=public_path("/docs"))),
]

handler400 = "console.error_pages.handler400"
handler403 = "console.error_pages.handler403"
handler404 = "console.error_pages.handler404"
handler500 = "core.api.exception_handler.handler500"
