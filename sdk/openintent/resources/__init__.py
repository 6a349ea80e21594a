"""Operations of the API, one class for each resource (protocol §4), and `Resources`, all of them."""

from .agents import AgentResource
from .attachments import AttachmentResource
from .costs import CostResource
from .discovery import DiscoveryResource
from .events import EventResource
from .governance import GovernanceResource
from .graph import GraphResource
from .intents import IntentResource
from .keys import KeyResource
from .leases import LeaseResource
from .llm import LLMResource
from .notices import NoticeResource
from .permits import PermitResource
from .plans import PlanResource
from .portfolios import PortfolioResource
from .retries import RetryResource
from .subscriptions import SubscriptionResource


class Resources(
    IntentResource,
    GraphResource,
    PlanResource,
    EventResource,
    AgentResource,
    LeaseResource,
    GovernanceResource,
    PermitResource,
    AttachmentResource,
    CostResource,
    RetryResource,
    PortfolioResource,
    SubscriptionResource,
    NoticeResource,
    LLMResource,
    KeyResource,
    DiscoveryResource,
):
    """All operations of a client."""


__all__ = ["Resources"]
