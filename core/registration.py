"""Registration: an app of the protocol says in its AppConfig what it adds to the server."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import ClassVar

from django.apps import AppConfig, apps
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.module_loading import module_has_submodule


class ProtocolAppConfig(AppConfig):
    """Base of the apps that implement the protocol.

    By convention, `urls.py` of the app is included below /api/v1, and `triggers.py` installs its database triggers.

    Import this module, not the class: Django takes an AppConfig that an apps.py names for one of the app's own.
    """

    rfcs: ClassVar[Mapping[str, str]] = {}
    """The RFCs that the app implements, with their titles."""
    features: ClassVar[Sequence[str]] = ()
    """Names that the compatibility document lists."""

    def ready(self) -> None:
        if module_has_submodule(self.module, "triggers"):
            triggers = import_module(f"{self.name}.triggers")
            post_migrate.connect(triggers.install, sender=self, dispatch_uid=f"{self.name}.triggers")
            register(triggers.check, Tags.database)

    @property
    def urlconf(self) -> str | None:
        """Return the name of the app's URL module, or None if it has none."""
        return f"{self.name}.urls" if module_has_submodule(self.module, "urls") else None


def protocol_apps() -> Iterator[ProtocolAppConfig]:
    """Yield the installed apps of the protocol, in their order."""
    return (config for config in apps.get_app_configs() if isinstance(config, ProtocolAppConfig))
