"""Arbitration, votes, decisions, permits and delegations (RFC-0004)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import ArbitrationStatus, FallbackKind, PermitOutcome, PermitStatus, Urgency
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
    answer: dict[str, Any] | None = None

    @property
    def outcome(self) -> str:
        """`decision`, by its name in openintent 0.5."""
        return self.decision

    @property
    def reasoning(self) -> str | None:
        """`rationale`, by its name in openintent 0.5."""
        return self.rationale

    @property
    def decision_maker_id(self) -> str:
        """`decided_by`, by its name in openintent 0.5."""
        return self.decided_by


@dataclass(frozen=True, kw_only=True)
class Action(Model):
    """The act that an arbitration is about: an operation of the API or another verb, its target and its parameters."""

    verb: str
    target: str
    params: dict[str, Any] = field(default_factory=dict)
    effect_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Vote(Model):
    """The vote of one principal. It counts while the arbitration is bound to what the voter was shown."""

    decided_by: str
    decision: str
    created_at: datetime = field(metadata=INSTANT)
    rationale: str | None = None
    counts: bool = True


@dataclass(frozen=True, kw_only=True)
class Escalation(Model):
    """A step of an escalation: who joins the audience, and when."""

    after_seconds: int
    to: str


@dataclass(frozen=True, kw_only=True)
class Told(Model):
    """A person, or a shared channel (`to` is None), that was told of a question."""

    channel_id: str
    channel: str
    kind: str
    at: datetime = field(metadata=INSTANT)
    to: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fallback(Model):
    """Effect of the end of a question that nobody has answered."""

    do: FallbackKind | str = field(metadata={"decode": decode_enum(FallbackKind)})
    decision: str | None = None
    answer: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Information(Model):
    """A question of those who decide about an arbitration, and what its requester answered; None while it is open."""

    question: str
    asked_by: str
    asked_at: datetime = field(metadata=INSTANT)
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = field(default=None, metadata=INSTANT)


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
    action: Action | None = field(default=None, metadata={"decode": Action.from_json})
    action_sha256: str | None = None
    bind_version: bool = False
    bind_paths: list[str] = field(default_factory=list)
    intent_version: int | None = None
    grants: list[str] = field(default_factory=list)
    permit_seconds: int | None = None
    quorum: int | None = None
    votes: list[Vote] = field(default_factory=list, metadata={"decode": decode_list(Vote)})
    response_schema: dict[str, Any] | None = None
    audience: list[str] = field(default_factory=list)
    urgency: Urgency | str = field(default=Urgency.NORMAL, metadata={"decode": decode_enum(Urgency)})
    remind_after_seconds: list[int] = field(default_factory=list)
    escalation: list[Escalation] = field(default_factory=list, metadata={"decode": decode_list(Escalation)})
    fallback: Fallback | None = field(default=None, metadata={"decode": Fallback.from_json})
    told: list[Told] = field(default_factory=list, metadata={"decode": decode_list(Told)})
    assignee: str | None = None
    information: list[Information] = field(default_factory=list, metadata={"decode": decode_list(Information)})


@dataclass(frozen=True, kw_only=True)
class RecordedVote(Decision):
    """The result of `record_decision` where more votes are needed: the caller's vote, without an id, and the arbitration."""

    arbitration: Arbitration

    @classmethod
    def from_arbitration(cls, data: Mapping[str, Any]) -> "RecordedVote":
        """Return the last vote of an arbitration in the API's JSON."""
        arbitration = Arbitration.from_json(data)
        vote = arbitration.votes[-1]
        return cls(
            id="",
            intent_id=arbitration.intent_id,
            decision=vote.decision,
            decided_by=vote.decided_by,
            created_at=vote.created_at,
            arbitration_id=arbitration.id,
            rationale=vote.rationale,
            arbitration=arbitration,
        )


@dataclass(frozen=True, kw_only=True)
class Permit(Model):
    """The right of one agent to do one act once. `outcome` is what came of it."""

    id: str
    arbitration_id: str
    decision_id: str
    intent_id: str
    agent_id: str
    verb: str
    target: str
    action_sha256: str
    intent_version: int
    status: PermitStatus | str = field(metadata={"decode": decode_enum(PermitStatus)})
    expires_at: datetime = field(metadata=INSTANT)
    created_at: datetime = field(metadata=INSTANT)
    spent_at: datetime | None = field(default=None, metadata=INSTANT)
    outcome: PermitOutcome | str | None = field(default=None, metadata={"decode": decode_enum(PermitOutcome)})
    outcome_note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Gate(Model):
    """An operation that needs a permit: on an intent, on a portfolio and its members, or, without either, everywhere."""

    id: str
    verb: str
    created_by: str
    created_at: datetime = field(metadata=INSTANT)
    intent_id: str | None = None
    portfolio_id: str | None = None
    when: dict[str, Any] = field(default_factory=dict)
    quorum: int = 1
    deciders: list[str] = field(default_factory=list)
    permit_seconds: int | None = None


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
