"""Configuration of the app."""

from core import registration
from core.errors import Invalid
from portfolios.errors import DuplicateMember, DuplicatePrimary


class PortfoliosConfig(registration.ProtocolAppConfig):
    name = "portfolios"
    verbose_name = "Portfolios"
    rfcs = {"RFC-0007": "Portfolios"}
    features = ("portfolios",)
    refusals = {
        "one_membership_per_intent": DuplicateMember,
        "one_primary_per_portfolio": DuplicatePrimary,
        "portfolio_threshold_is_percent": Invalid,
    }
