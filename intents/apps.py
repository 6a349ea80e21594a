from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class IntentsConfig(AppConfig):
    name = "intents"
    verbose_name = "Intents"

    def ready(self) -> None:
        from intents import triggers  # noqa: PLC0415  Models must be loaded first.

        post_migrate.connect(triggers.install, sender=self, dispatch_uid="intents.triggers")
        register(triggers.check, Tags.database)
