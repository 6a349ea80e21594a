"""Configuration of the app."""

from collections.abc import Sequence

from core import registration
from core.errors import Invalid
from governance.errors import ArbitrationResolved


class GovernanceConfig(registration.ProtocolAppConfig):
    name = "governance"
    verbose_name = "Governance"
    rfcs = {"RFC-0004": "Arbitration and governance"}
    features = ("arbitration",)
    refusals = {
        "governance_decision_arbitration_id_key": ArbitrationResolved,
        "arbitration_lasts": Invalid,
        "delegation_lasts": Invalid,
    }

    def periodic_tasks(self) -> Sequence[registration.PeriodicTask]:
        from governance import services  # noqa: PLC0415  Models must be loaded first.

        return (registration.PeriodicTask("expire arbitrations", services.overdue_arbitrations, services.expire_arbitration),)
