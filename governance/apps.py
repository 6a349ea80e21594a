"""Configuration of the app."""

from collections.abc import Sequence

from core import registration


class GovernanceConfig(registration.ProtocolAppConfig):
    name = "governance"
    verbose_name = "Governance"
    rfcs = {"RFC-0004": "Arbitration and governance"}
    features = ("arbitration",)

    def periodic_tasks(self) -> Sequence[registration.PeriodicTask]:
        from governance import services  # noqa: PLC0415  Models must be loaded first.

        return (registration.PeriodicTask("expire arbitrations", services.overdue_arbitrations, services.expire_arbitration),)
