"""Configuration of the app."""

from collections.abc import Callable, Sequence

from core import registration
from core.errors import Invalid
from leasing.errors import LeaseConflict


class LeasingConfig(registration.ProtocolAppConfig):
    name = "leasing"
    verbose_name = "Leasing"
    rfcs = {"RFC-0003": "Leasing"}
    features = ("leases", "fencing_tokens", "lease_queues")
    refusals = {
        "one_active_lease_per_scope": LeaseConflict,
        "lease_lasts": Invalid,
        "one_place_in_the_queue": LeaseConflict,
    }

    def housekeeping(self) -> Sequence[Callable[[], object]]:
        from leasing.services import delete_left_places  # noqa: PLC0415  Models must be loaded first.

        return (delete_left_places,)
