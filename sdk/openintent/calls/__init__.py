"""The operations of the API, a class per part of it (protocol §4), and `Calls`, all of them."""

from .agents import AgentCalls
from .discovery import DiscoveryCalls
from .events import EventCalls
from .graph import GraphCalls
from .intents import IntentCalls
from .keys import KeyCalls
from .logging import LoggingCalls


class Calls(IntentCalls, GraphCalls, EventCalls, AgentCalls, LoggingCalls, KeyCalls, DiscoveryCalls):
    """Every operation, as both clients offer it."""


__all__ = ["Calls"]
