from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps  # Not its classes, of which Django would take one for the default here.


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Console"


class ConsoleAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site."""

    default = False
    default_site = "console.site.ConsoleSite"
