"""Portfolios and their members (RFC-0007)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import PortfolioStatus
from ._model import INSTANT, Model, decode_enum, decode_list
from .intents import AggregateStatus, Intent


@dataclass(frozen=True, kw_only=True)
class PortfolioMember(Intent):
    """A member of a portfolio: an intent with its role and priority. The highest priority comes first."""

    role: str
    priority: int = 0


@dataclass(frozen=True, kw_only=True)
class Portfolio(Model):
    """A group of intents, with their shared policy and progress (RFC-0007).

    `version` counts its changes: of name, description, policy, metadata, members and status.
    """

    id: str
    name: str
    status: PortfolioStatus | str = field(metadata={"decode": decode_enum(PortfolioStatus)})
    created_by: str
    created_at: datetime = field(metadata=INSTANT)
    updated_at: datetime = field(metadata=INSTANT)
    aggregate_status: AggregateStatus = field(metadata={"decode": AggregateStatus.from_json})
    intents: list[PortfolioMember] = field(default_factory=list, metadata={"decode": decode_list(PortfolioMember)})
    intents_next: str | None = None
    """The cursor for the remaining members, if they are too large for one response."""
    description: str | None = None
    governance_policy: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    version: int = 1
