"""Configuration of the app."""

from core import registration


class IntentsConfig(registration.ProtocolAppConfig):
    name = "intents"
    verbose_name = "Intents"
    rfcs = {"RFC-0001": "Intents and events", "RFC-0002": "Intent graphs", "RFC-0008": "LLM, tool and stream logging"}
    features = ("batch_events", "intent_graphs")
