"""Configuration of the app."""

from collections.abc import Sequence

from core import registration


class RetriesConfig(registration.ProtocolAppConfig):
    name = "retries"
    verbose_name = "Retries"
    rfcs = {"RFC-0010": "Retries"}
    features = ("retries",)

    def periodic_tasks(self) -> Sequence[registration.PeriodicTask]:
        from retries import services  # noqa: PLC0415  Models must be loaded first.

        return (registration.PeriodicTask("announce retries", services.due_retries, services.announce_retry),)
