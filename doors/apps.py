"""Configuration of the app."""

from core import registration


class DoorsConfig(registration.ProtocolAppConfig):
    name = "doors"
    verbose_name = "Doors"
    features = ("mcp",)
