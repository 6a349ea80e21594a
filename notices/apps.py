"""Configuration of the app."""

from core import registration


class NoticesConfig(registration.ProtocolAppConfig):
    name = "notices"
    verbose_name = "Notices"
    features = ("notices",)
