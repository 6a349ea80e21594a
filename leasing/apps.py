"""Configuration of the app."""

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
