"""The verbs: all that can change a portfolio and who is in it (RFC-0007).

Each holds the portfolio's row lock, under which its members are added, removed and counted; intents are locked after it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q

from access.identity import SYSTEM, Actor
from core import strict_json
from core.db import atomic_verb, database_now
from core.errors import Forbidden, Invalid
from costs import budgets
from intents import topics
from intents.errors import CompletionGate
from intents.events import EventType, NewEvent, append, append_without_intent
from intents.locking import lock_for_write, require_writable
from intents.models import FINAL, Intent
from portfolios import policy
from portfolios.errors import DuplicateMember, DuplicatePrimary
from portfolios.models import CHANGEABLE, Membership, Portfolio, Role, Status

REACHED = "auto_complete_threshold"
RESERVED_METADATA = "openintent."
"""Members of a portfolio's metadata that begin so are the SDK's own: only a write that says its version replaces them."""


@atomic_verb
def create_portfolio(
    *,
    actor: Actor,
    name: str,
    description: str | None = None,
    governance_policy: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Portfolio:
    """Make an active portfolio without members."""
    now = database_now()
    portfolio = Portfolio(
        name=name,
        description=description,
        governance_policy=governance_policy or {},
        auto_complete_threshold=(governance_policy or {}).get("auto_complete_threshold"),
        metadata=metadata or {},
        created_by=actor.id,
        principal=actor.principal,
        created_at=now,
        updated_at=now,
    )
    portfolio.save(force_insert=True)
    told = {
        "name": name,
        "description": description,
        "status": str(portfolio.status),
        "governance_policy": portfolio.governance_policy,
        "metadata": portfolio.metadata,
    }
    append_without_intent(NewEvent(EventType.PORTFOLIO_CREATED, told, portfolio_id=portfolio.pk), actor=actor, now=now)
    return portfolio


@atomic_verb
def update_portfolio(
    *, portfolio_id: UUID | str, actor: Actor, changes: Mapping[str, Any], expected_version: int | None = None
) -> Portfolio:
    """Change the name, description, policy or metadata (rules P-4, P-5). What is as it was changes nothing.

    A new policy may complete the portfolio, and writes the events of limits that are crossed already (rule C-5). Without
    `expected_version`, metadata of the SDK's own stays as it is.

    Raises PortfolioNotFound, VersionConflict, Forbidden.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    new = _differing(portfolio, changes, keep_reserved=expected_version is None)
    if not new:
        return portfolio
    if "governance_policy" in new:
        _require_governor(portfolio, actor, "changes its governance_policy")
    now = database_now()
    old = {name: getattr(portfolio, name) for name in new}
    for name, value in new.items():
        setattr(portfolio, name, value)
    portfolio.auto_complete_threshold = portfolio.governance_policy.get("auto_complete_threshold")
    _save(portfolio, *new, "auto_complete_threshold", now=now)
    append_without_intent(_updated(portfolio, new, old), actor=actor, now=now)
    if "governance_policy" in new and portfolio.is_active:
        if _is_watched(portfolio):
            # Who completes a member at this moment has seen the old policy: it is waited for, and its member counted.
            Intent.objects.lock_all(set(portfolio.members.values_list("intent_id", flat=True)))
        budgets.check_portfolio_budgets(portfolio, now)
        complete_at_threshold([portfolio], now=now)
    return portfolio


@atomic_verb
def update_portfolio_status(
    *, portfolio_id: UUID | str, actor: Actor, status: str, reason: str | None = None, expected_version: int | None = None
) -> Portfolio:
    """Complete or abandon the portfolio (rule P-2). The same status again changes nothing.

    Where its policy binds others, ending it over open members is for those who may change the policy (rule P-5).

    Raises PortfolioNotFound, VersionConflict, IllegalTransition, CompletionGate, Forbidden.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    if portfolio.status == status:
        return portfolio
    portfolio.require_transition(status)
    if status == Status.COMPLETED:
        _require_gate(portfolio)
    if policy.is_binding(portfolio.governance_policy) and portfolio.members.exclude(intent__status__in=FINAL).exists():
        _require_governor(portfolio, actor, "ends it while it has open members, which its governance_policy binds")
    _change_status(portfolio, status, actor=actor, reason=reason, now=database_now())
    return portfolio


@atomic_verb
def add_intent_to_portfolio(
    *,
    portfolio_id: UUID | str,
    intent_id: UUID,
    actor: Actor,
    role: str = Role.MEMBER,
    priority: int = 0,
    expected_version: int | None = None,
) -> tuple[Intent, Membership]:
    """Make the intent a member (rule P-1). One that is completed already may complete the portfolio (rule P-2).

    What was spent on it counts for the portfolio's limits from now on, and may cross them at once (rule C-5).

    Raises PortfolioNotFound, VersionConflict, Invalid for an intent that does not exist, LeaseLost, PortfolioClosed,
    DuplicateMember, DuplicatePrimary.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    intent = Intent.objects.lock_all({intent_id}).get(intent_id)
    if intent is None:
        raise Invalid.field("intent_id", f"no intent has the id {intent_id}", "unknown_id")
    require_writable(intent, actor)
    portfolio.require_active()
    _require_room(portfolio, intent, role)
    now = database_now()
    member = Membership(
        portfolio=portfolio,
        intent=intent,
        role=role,
        priority=priority,
        added_by=actor.id,
        principal=actor.principal,
        by_role=actor.role,
        added_at=now,
    )
    member.save(force_insert=True)
    _record(intent, member, EventType.ADDED_TO_PORTFOLIO, actor=actor, now=now)
    topics.join(intent, topics.for_portfolio(portfolio.pk))
    _save(portfolio, now=now)
    budgets.check_portfolio_budgets(portfolio, now)
    complete_at_threshold([portfolio], now=now)
    return intent, member


@atomic_verb
def remove_intent_from_portfolio(
    *, portfolio_id: UUID | str, intent_id: UUID | str, actor: Actor, expected_version: int | None = None
) -> None:
    """Let the intent be no member any more. Again changes nothing. What remains may complete the portfolio (rule P-2).

    A member that another principal has added leaves a portfolio whose policy binds it only by those who may change the
    policy (rule P-5): its end, or what it has spent, would no longer count.

    Raises PortfolioNotFound, VersionConflict, IntentNotFound, LeaseLost, PortfolioClosed, Forbidden.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    intent = lock_for_write(intent_id, actor)
    member = portfolio.members.filter(intent=intent).first()
    if member is None:
        return
    portfolio.require_active()
    if policy.is_binding(portfolio.governance_policy) and actor.principal != member.principal:
        _require_governor(portfolio, actor, "removes a member that others have added, and that its governance_policy binds")
    now = database_now()
    member.delete()
    _record(intent, member, EventType.REMOVED_FROM_PORTFOLIO, actor=actor, now=now)
    topics.leave(intent, topics.for_portfolio(portfolio.pk))
    _save(portfolio, now=now)
    complete_at_threshold([portfolio], now=now)


def complete_at_threshold(portfolios: Collection[Portfolio], *, now: datetime) -> None:
    """Complete those whose `auto_complete_threshold` is reached (rule P-2). A part of verbs that hold their locks."""
    watched = [each for each in portfolios if _is_watched(each)]
    counts = _counts(watched) if watched else {}
    for portfolio in watched:
        if policy.is_threshold_reached(portfolio.governance_policy, counts[portfolio.pk]):
            _change_status(portfolio, Status.COMPLETED, actor=SYSTEM, reason=REACHED, now=now)


def _require_governor(portfolio: Portfolio, actor: Actor, what: str) -> None:
    """Raises Forbidden (rule P-5)."""
    if not actor.may_manage(portfolio.principal):
        raise Forbidden(f"Only who made the portfolio ({portfolio.created_by}), an arbiter or an operator {what}.")


def _differing(portfolio: Portfolio, changes: Mapping[str, Any], *, keep_reserved: bool) -> dict[str, Any]:
    """Return the changes that are none of what the portfolio has already, to the last digit and the order of keys."""
    wanted = dict(changes)
    if keep_reserved and "metadata" in wanted:
        kept = {name: value for name, value in portfolio.metadata.items() if name.startswith(RESERVED_METADATA)}
        wanted["metadata"] = {**wanted["metadata"], **kept}
    return {
        name: value for name, value in wanted.items() if strict_json.text(value) != strict_json.text(getattr(portfolio, name))
    }


def _updated(portfolio: Portfolio, new: dict[str, Any], old: dict[str, Any]) -> NewEvent:
    """Tell of new details and the ones before; of a value that is too large for an event, how many bytes it has."""
    payload: dict[str, Any] = {"changes": new, "previous": old, "version": portfolio.version}
    if not strict_json.fits(payload, settings.MAX_EVENT_PAYLOAD):
        payload |= {each: {name: _shortened(value) for name, value in payload[each].items()} for each in ("changes", "previous")}
    return NewEvent(EventType.PORTFOLIO_UPDATED, payload, portfolio_id=portfolio.pk)


def _shortened(value: Any) -> Any:
    share = settings.MAX_EVENT_PAYLOAD // (2 * len(CHANGEABLE))
    return value if strict_json.fits(value, share) else {"omitted_bytes": len(strict_json.dumps(value))}


def _is_watched(portfolio: Portfolio) -> bool:
    return portfolio.is_active and portfolio.auto_complete_threshold is not None


def _counts(portfolios: Collection[Portfolio]) -> dict[UUID, Counter[str]]:
    """How many members of each status they have."""
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    members = Membership.objects.filter(portfolio__in=portfolios).values_list("portfolio_id", "intent__status")
    for pk, status, number in members.annotate(number=Count("pk")).order_by():
        found[pk][status] = number
    return found


def _require_gate(portfolio: Portfolio) -> None:
    """Raises CompletionGate (rule P-2)."""
    unfinished = portfolio.members.filter(intent__status__in=policy.blocking_statuses(portfolio.governance_policy))
    if waiting_for := list(unfinished.order_by("intent_id").values_list("intent_id", flat=True)):
        raise CompletionGate(waiting_for, "The portfolio requires all of its members completed, and has some that are not.")


def _require_room(portfolio: Portfolio, intent: Intent, role: str) -> None:
    """Raises DuplicateMember, DuplicatePrimary (rule P-1)."""
    found = portfolio.members.filter(Q(intent=intent) | Q(role=Role.PRIMARY))
    rivals = dict(found.values_list("intent_id", "role"))
    if intent.pk in rivals:
        raise DuplicateMember(intent.pk)
    if role == Role.PRIMARY and rivals:
        raise DuplicatePrimary(*rivals)


def _change_status(portfolio: Portfolio, status: str, *, actor: Actor, reason: str | None, now: datetime) -> None:
    told = {"from": str(portfolio.status), "to": str(status), "reason": reason}
    portfolio.status = status
    _save(portfolio, "status", now=now)
    event = NewEvent(EventType.PORTFOLIO_STATUS_CHANGED, told, portfolio_id=portfolio.pk)
    append_without_intent(event, actor=actor, now=now)


def _record(intent: Intent, member: Membership, event_type: EventType, *, actor: Actor, now: datetime) -> None:
    payload = {
        "portfolio_id": str(member.portfolio_id),
        "intent_id": str(intent.pk),
        "role": member.role,
        "priority": member.priority,
    }
    append(intent, NewEvent(event_type, payload, portfolio_id=member.portfolio_id), actor=actor, now=now)


def _save(portfolio: Portfolio, *names: str, now: datetime) -> None:
    """One more version: each change has its own (rule P-4)."""
    portfolio.version += 1
    portfolio.updated_at = now
    portfolio.save(update_fields=[*names, "version", "updated_at"])
