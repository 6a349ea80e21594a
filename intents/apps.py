"""Configuration of the app."""

from core import registration
from core.errors import Invalid
from intents.errors import DependencyCycle


class IntentsConfig(registration.ProtocolAppConfig):
    name = "intents"
    verbose_name = "Intents"
    rfcs = {"RFC-0001": "Intents and events", "RFC-0002": "Intent graphs", "RFC-0008": "LLM, tool and stream logging"}
    features = ("batch_events", "intent_graphs")
    refusals = {
        "no_intent_awaits_itself": DependencyCycle,
        "intent_confidence_is_a_percentage": Invalid,
    }
