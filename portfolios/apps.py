"""Configuration of the app."""

from core import registration


class PortfoliosConfig(registration.ProtocolAppConfig):
    name = "portfolios"
    verbose_name = "Portfolios"
    rfcs = {"RFC-0007": "Portfolios"}
    features = ("portfolios",)
