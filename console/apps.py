"""The console app, and the admin app with its site."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps  # Not its classes, of which Django would take one for the default here.


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Console"


class ConsoleAdminConfig(admin_apps.SimpleAdminConfig):
    """Django's admin with our site, and the pages of `console.admin` alone: no other app registers any."""

    default = False
    default_site = "console.site.ConsoleSite"

    def ready(self) -> None:
        super().ready()
        import_module("console.admin")
