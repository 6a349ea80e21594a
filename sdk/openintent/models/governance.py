"""Arbitration, decisions and delegations (RFC-0004)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import ArbitrationStatus
from ._model import INSTANT, Model, decode_enum, decode_list


@dataclass(frozen=True, kw_only=True)
class ArbitrationOption(Model):
    """An option of an arbitration, chosen by its label."""

    label: str
    rationale: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence(Model):
    """Evidence for a decision."""

    source: str
    summary: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decision(Model):
    """A permanent decision. `arbitration_id` is None if it was not requested by an arbitration."""

    id: str
    intent_id: str
    decision: str
    decided_by: str
    created_at: datetime = field(metadata=INSTANT)
    arbitration_id: str | None = None
    rationale: str | None = None
    decision_type: str | None = None
    evidence: list[Evidence] = field(default_factory=list, metadata={"decode": decode_list(Evidence)})


@dataclass(frozen=True, kw_only=True)
class Arbitration(Model):
    """A request for a decision (RFC-0004). `decision` is set once the status is resolved."""

    id: str
    intent_id: str
    requester_id: str
    reason: str
    status: ArbitrationStatus | str = field(metadata={"decode": decode_enum(ArbitrationStatus)})
    created_at: datetime = field(metadata=INSTANT)
    context: dict[str, Any] = field(default_factory=dict)
    options: list[ArbitrationOption] = field(default_factory=list, metadata={"decode": decode_list(ArbitrationOption)})
    blocking: bool = False
    expires_at: datetime | None = field(default=None, metadata=INSTANT)
    decision: Decision | None = field(default=None, metadata={"decode": Decision.from_json})
    resolved_at: datetime | None = field(default=None, metadata=INSTANT)


@dataclass(frozen=True, kw_only=True)
class DelegationScope(Model):
    """The scope of a delegation. An empty list is no limit: without intents and portfolios it applies to all intents."""

    intents: list[str] = field(default_factory=list)
    portfolios: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Delegation(Model):
    """A permission that `delegator` gives to `delegate`, within a scope and for a time."""

    id: str
    delegator: str
    delegate: str
    created_at: datetime = field(metadata=INSTANT)
    scope: DelegationScope = field(default_factory=DelegationScope, metadata={"decode": DelegationScope.from_json})
    constraints: dict[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = field(default=None, metadata=INSTANT)
    revoked_at: datetime | None = field(default=None, metadata=INSTANT)
