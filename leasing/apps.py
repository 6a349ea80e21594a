"""Configuration of the app."""

from collections.abc import Sequence

from core import registration
from core.errors import Invalid
from leasing.errors import LeaseConflict


class LeasingConfig(registration.ProtocolAppConfig):
    name = "leasing"
    verbose_name = "Leasing"
    rfcs = {"RFC-0003": "Leasing"}
    features = ("leases", "fencing_tokens")
    refusals = {
        "one_active_lease_per_scope": LeaseConflict,
        "lease_lasts": Invalid,
    }

    def periodic_tasks(self) -> Sequence[registration.PeriodicTask]:
        from leasing import services  # noqa: PLC0415  Models must be loaded first.

        return (registration.PeriodicTask("expire leases", services.overdue_leases, services.expire_lease),)
