"""The operations of the API, a class per part of it (protocol §4), and `Calls`, all of them."""

from .agents import AgentCalls
from .attachments import AttachmentCalls
from .costs import CostCalls
from .discovery import DiscoveryCalls
from .events import EventCalls
from .governance import GovernanceCalls
from .graph import GraphCalls
from .intents import IntentCalls
from .keys import KeyCalls
from .leases import LeaseCalls
from .llm import LoggingCalls
from .portfolios import PortfolioCalls
from .retries import RetryCalls
from .subscriptions import SubscriptionCalls


class Calls(
    IntentCalls,
    GraphCalls,
    EventCalls,
    AgentCalls,
    LeaseCalls,
    GovernanceCalls,
    AttachmentCalls,
    CostCalls,
    RetryCalls,
    PortfolioCalls,
    SubscriptionCalls,
    LoggingCalls,
    KeyCalls,
    DiscoveryCalls,
):
    """Every operation, as both clients offer it."""


__all__ = ["Calls"]
