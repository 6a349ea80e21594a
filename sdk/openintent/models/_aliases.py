"""Names of models and enums in the published package openintent 0.5 and 0.17 (protocol K-11)."""

from enum import StrEnum, auto

from .attachments import Attachment
from .costs import Cost
from .governance import Arbitration
from .intents import Event
from .leases import Lease
from .portfolios import Portfolio
from .retries import Failure
from .subscriptions import Subscription

ArbitrationRequest = Arbitration
IntentAttachment = Attachment
IntentCost = Cost
IntentEvent = Event
IntentFailure = Failure
IntentLease = Lease
IntentPortfolio = Portfolio
IntentSubscription = Subscription


class MembershipRole(StrEnum):
    """Roles of members of a portfolio. A role may be any other text as well."""

    PRIMARY = auto()
    MEMBER = auto()
    DEPENDENCY = auto()


class CostType(StrEnum):
    """Types of costs. A type may be any other text as well."""

    TOKENS = auto()
    API_CALL = auto()
    COMPUTE = auto()
    CUSTOM = auto()
