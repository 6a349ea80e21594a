from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class GovernanceConfig(AppConfig):
    name = "governance"
    verbose_name = "Governance"

    def ready(self) -> None:
        from governance import triggers  # noqa: PLC0415  As in intents.apps.

        post_migrate.connect(triggers.install, sender=self, dispatch_uid="governance.triggers")
        register(triggers.check, Tags.database)
