"""/portfolios (RFC-0007)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import PortfolioStatus
from ._base import AT, Model, several, word
from .intents import AggregateStatus, Intent


@dataclass(frozen=True, kw_only=True)
class PortfolioMember(Intent):
    """An intent in a portfolio, with its role there. The highest priority comes first."""

    role: str
    priority: int = 0


@dataclass(frozen=True, kw_only=True)
class Portfolio(Model):
    """Intents that belong together, the rules that they share, and how far they are (RFC-0007).

    `version` counts its changes: of name, description, policy, metadata, members and status.
    """

    id: str
    name: str
    status: PortfolioStatus | str = field(metadata={"decode": word(PortfolioStatus)})
    created_by: str
    created_at: datetime = field(metadata=AT)
    updated_at: datetime = field(metadata=AT)
    aggregate_status: AggregateStatus = field(metadata={"decode": AggregateStatus.from_json})
    intents: list[PortfolioMember] = field(default_factory=list, metadata={"decode": several(PortfolioMember)})
    intents_next: str | None = None
    """Where the members are too large for one answer: the cursor at which the list of its intents goes on."""
    description: str | None = None
    governance_policy: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    version: int = 1
