"""Configuration of the app."""

from core import registration


class PlansConfig(registration.ProtocolAppConfig):
    name = "plans"
    verbose_name = "Plans"
    features = ("batch_intents",)
