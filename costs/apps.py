"""Configuration of the app."""

from core import registration
from core.errors import Invalid


class CostsConfig(registration.ProtocolAppConfig):
    name = "costs"
    verbose_name = "Costs"
    rfcs = {"RFC-0009": "Costs"}
    features = ("costs",)
    refusals = {
        "cost_is_within_bounds": Invalid,
        "cost_parts_make_no_whole": Invalid,
    }
