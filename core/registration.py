"""Registration: an app of the protocol says in its AppConfig what it adds to the server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from django.apps import AppConfig, apps
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.module_loading import module_has_submodule

from core.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Work that becomes due: a row of the app, whose columns say when, and a verb that does it under that row's lock.

    The verb checks again once it has the lock, so that any number of workers may call it, and a worker that is killed in the
    middle has done nothing. It does not wait for a lock: one process that hangs would keep all else that is due waiting.
    """

    name: str
    find: Callable[[int], Sequence[Any]]
    """Return up to so many ids of what is due, the oldest first."""
    run_one: Callable[[Any], bool]
    """Do one; return whether it was still due."""


class ProtocolAppConfig(AppConfig):
    """Base of the apps that implement the protocol.

    By convention, `urls.py` of the app is included below /api/v1, `triggers.py` installs its database triggers, and
    PERIODIC_TASKS of its services are what the worker does within seconds of their time.

    Import this module, not the class: Django takes an AppConfig that an apps.py names for one of the app's own.
    """

    rfcs: ClassVar[Mapping[str, str]] = {}
    """The RFCs that the app implements, with their titles."""
    features: ClassVar[Sequence[str]] = ()
    """Names that the compatibility document lists."""
    refusals: ClassVar[Mapping[str, type[ProtocolError]]] = {}
    """Constraints of the app's tables that a request could violate if a check failed, with the refusals (core.constraints)."""

    def ready(self) -> None:
        if module_has_submodule(self.module, "triggers"):
            triggers = import_module(f"{self.name}.triggers")
            post_migrate.connect(triggers.install, sender=self, dispatch_uid=f"{self.name}.triggers")
            register(triggers.check, Tags.database)

    def housekeeping(self) -> Sequence[Callable[[], object]]:
        """Return what the worker runs for the app every ten minutes."""
        return ()

    @property
    def urlconf(self) -> str | None:
        """Return the name of the app's URL module, or None if it has none."""
        return f"{self.name}.urls" if module_has_submodule(self.module, "urls") else None


def protocol_apps() -> Iterator[ProtocolAppConfig]:
    """Yield the installed apps of the protocol, in their order."""
    return (config for config in apps.get_app_configs() if isinstance(config, ProtocolAppConfig))
