"""Arbitration, decisions and delegations (RFC-0004)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import ArbitrationStatus
from ._model import INSTANT, Model, decode_enum, decode_list


@dataclass(frozen=True, kw_only=True)
class ArbitrationOption(Model):
    """A way out that can be decided for, by its label."""

    label: str
    rationale: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence(Model):
    """What a decision is based on."""

    source: str
    summary: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decision(Model):
    """What was decided, for good. `arbitration_id` is None where nobody had asked for it."""

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
    """A question that somebody is to decide (RFC-0004). `decision` is there once its status is resolved."""

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
    """Where, and what: an empty list is no limit; neither intents nor portfolios is everywhere."""

    intents: list[str] = field(default_factory=list)
    portfolios: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Delegation(Model):
    """`delegator` lets `delegate` act, within a scope and for a time."""

    id: str
    delegator: str
    delegate: str
    created_at: datetime = field(metadata=INSTANT)
    scope: DelegationScope = field(default_factory=DelegationScope, metadata={"decode": DelegationScope.from_json})
    constraints: dict[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = field(default=None, metadata=INSTANT)
    revoked_at: datetime | None = field(default=None, metadata=INSTANT)
