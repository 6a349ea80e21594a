"""Configuration of the app."""

from core import registration


class CostsConfig(registration.ProtocolAppConfig):
    name = "costs"
    verbose_name = "Costs"
    rfcs = {"RFC-0009": "Costs"}
    features = ("costs",)
