"""Gates: operations that need a permit, or an operator's reason, whatever the transport (rule A-12). `intents.write_lock` asks here.

The gates are kept in memory. They are read again when the epoch has changed, which the statement that locks a row brings along.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework.request import Request

from access.identity import SYSTEM, Actor
from access.models import Role
from core import strict_json
from core.db import current_epoch
from core.db.statements import Statement
from core.errors import Invalid
from core.ids import parse_id
from governance import permits
from governance.errors import PermitMismatch, PermitNotFound, PermitRequired
from governance.models import Arbitration, Gate, Permit, PermitOutcome, Vote
from governance.operations import CONDITIONS, operation_of
from governance.recipients import USER, is_recipient, people_of
from governance.terms import MAX_ACTION
from intents.models import Intent
from portfolios.models import Membership

PERMIT_HEADER, REASON_HEADER = "HTTP_X_PERMIT", "HTTP_X_GATE_REASON"
MAX_REASON = 2_000

_PERMIT = Statement(lambda given: Permit.objects.filter(pk=given.pk))

_known: tuple[int | None, Sequence[Gate]] | None = None


def require_permitted(
    operation: str | None,
    actor: Actor,
    *,
    intents: Sequence[Intent] = (),
    portfolio_id: UUID | None = None,
    epoch: int | None = None,
    values: Mapping[str, Any],
) -> None:
    """Spend the permit that came with the request, and raise PermitRequired if a gate binds the operation and is not passed.

    The caller has locked the intents that it is about. `values` are those that a gate's `when` may name. None stands for an
    operation that no gate binds.
    """
    if actor.id == SYSTEM.id:
        return
    request = actor.request
    sent = request.META.get(PERMIT_HEADER) if request is not None else None
    gates = _gates(intents[0].epoch if epoch is None and intents else epoch)
    if sent is None and not gates:
        return
    if operation is None:
        if sent is not None:
            raise Invalid.field("X-Permit", "this operation takes no permit", "not_permitted")
        return
    matched = [each for each in gates if binds(each, operation, intents, portfolio_id, values)]
    if request is not None and sent is not None:
        permit = _spend(operation, actor, request, sent, intents)
        choosy = [each for each in matched if each.deciders or each.quorum > 1]  # One vote has granted every permit.
        votes = _granted(permit.arbitration) if choosy else []
        unmet = [each for each in choosy if sum(map(granting(each), votes)) < each.quorum]
        if unmet:
            raise PermitRequired(
                operation, unmet[0].pk, remedy(actor, unmet), because="Too few of its deciders have granted this one."
            )
    elif matched:
        _pass(operation, actor, matched, values)


def needs_permit(operation: str, actor: Actor, intent: Intent) -> bool:
    """Return whether a gate binds what the server is about to do for the actor, who sends nothing at this moment."""
    try:
        require_permitted(operation, actor, intents=[intent], values={})
    except PermitRequired:
        return True
    return False


def gates_for(action: Mapping[str, Any], intent: Intent) -> list[Gate]:
    """Return the gates that bind the act of an arbitration on the intent."""
    portfolio_id = parse_id(action["target"])
    operation = operation_of(action["verb"])
    values = {**CONDITIONS.get(action["verb"], {}), **action["params"]}
    return [each for each in _gates(intent.epoch) if binds(each, operation, [intent], portfolio_id, values)]


def binds(gate: Gate, operation: str, intents: Sequence[Intent], portfolio_id: UUID | None, values: Mapping[str, Any]) -> bool:
    """Return whether the gate binds the operation on these intents, or on the portfolio."""
    if operation_of(gate.verb) != operation:
        return False
    conditions = {**CONDITIONS.get(gate.verb, {}), **gate.when}
    if any(name not in values or values[name] != value for name, value in conditions.items()):
        return False
    ids = [intent.pk for intent in intents]
    if gate.intent_id is not None:
        return gate.intent_id in ids
    if gate.portfolio_id is not None and gate.portfolio_id != portfolio_id:
        return Membership.objects.filter(portfolio_id=gate.portfolio_id, intent_id__in=ids).exists()
    return True


def granting(gate: Gate) -> Callable[[Actor | Vote], bool]:
    """Return whether the gate lets a principal grant, as a function of it: one of its deciders, if it names any. One query."""
    if not gate.deciders:
        return lambda by: True
    names = {f"{USER}{name}" for name in people_of(gate.deciders).values_list("username", flat=True)}
    agents = {each for each in gate.deciders if not is_recipient(each)}

    def may_grant(by: Actor | Vote) -> bool:
        name = by.id if isinstance(by, Actor) else by.decided_by
        return name in names or (by.is_bound and name in agents)

    return may_grant


def remedy(actor: Actor, gates: Sequence[Gate]) -> dict[str, Any] | None:
    """Return the body with which the caller asks for a permit for its request, or None if it is too large."""
    if actor.request is None:
        return None
    action = {**_act(actor.request), "effect_key": None}
    if not strict_json.fits(action, MAX_ACTION):
        return None
    seconds = [each.permit_seconds for each in gates if each.permit_seconds]
    return {
        "reason": f"A gate requires a permit for {action['verb']} on {action['target']}"[:500],
        "action": action,
        "quorum": max(each.quorum for each in gates),
        **({"permit_seconds": min(seconds)} if seconds else {}),
    }


def _gates(epoch: int | None) -> Sequence[Gate]:
    global _known
    epoch = current_epoch() if epoch is None else epoch
    known = _known
    if known is None or known[0] != epoch:
        _known = known = epoch, [*Gate.objects.filter(removed_at=None).order_by("pk")]
    return known[1]


def _granted(arbitration: Arbitration) -> list[Vote]:
    """Return the votes that count and grant."""
    return [vote for vote in arbitration.votes.all() if vote.grants and vote.counts]


def _spend(operation: str, actor: Actor, request: Request, sent: str, intents: Sequence[Intent]) -> Permit:
    """Spend the permit on the request as it was sent, once for all verbs that the request runs."""
    spent: Permit | None = getattr(request, "spent_permit", None)
    if spent is not None:
        return spent
    pk = parse_id(sent.strip())
    if pk is None:
        raise Invalid.field("X-Permit", f"{sent[:60]!r} is not the id of a permit")
    permit = next(iter(_PERMIT.objects(pk=pk)), None)
    if permit is None:
        raise PermitNotFound(sent)
    intent = next((each for each in intents if each.pk == permit.intent_id), None)
    if intent is None and intents:
        raise PermitMismatch(pk, "intent_id")
    if intent is None:
        intent = Intent.objects.lock(permit.intent_id)
        [permit] = _PERMIT.objects(pk=pk)  # It may have been spent until then.
    act = _act(request)
    if operation_of(permit.verb) == operation_of(act["verb"]):
        act["verb"] = permit.verb
    permits.spend(intent, permit, act, actor=actor, now=intent.now(), outcome=PermitOutcome.SUCCEEDED)
    request.spent_permit = permit  # type: ignore[attr-defined]
    return permit


def _pass(operation: str, actor: Actor, gates: Sequence[Gate], values: Mapping[str, Any]) -> None:
    """Let an operator through who gives a reason, which the events keep. Raise PermitRequired."""
    if actor.role != Role.OPERATOR:
        raise PermitRequired(operation, gates[0].pk, remedy(actor, gates))
    reason = values.get("reason") or _header_reason(actor.request)
    if not reason or not reason.strip():
        because = "Operators pass without one by a reason, in the body or as X-Gate-Reason."
        raise PermitRequired(operation, gates[0].pk, remedy(actor, gates), because=because)
    actor.passed.append({"gate_ids": [str(each.pk) for each in gates], "reason": reason})


def _header_reason(request: Request | None) -> str | None:
    given = request.META.get(REASON_HEADER) if request is not None else None
    if given is None:
        return None
    try:
        reason = str(given).encode("latin-1").decode()  # WSGI passes bytes as Latin-1.
    except UnicodeDecodeError:
        raise Invalid.field("X-Gate-Reason", "must be ASCII or UTF-8") from None
    if len(reason) > MAX_REASON:
        raise Invalid.field("X-Gate-Reason", f"is longer than {MAX_REASON} characters")
    return reason


def _act(request: Request) -> dict[str, Any]:
    """Return the verb, the target and the parameters of the request, as it was sent: ids of its path after the first are parameters."""
    view = request.parser_context["view"]
    ids = {name: str(value) for name, value in request.parser_context["kwargs"].items()}
    target = next(iter(ids.values()), None) or view.list_name
    body = {name: _parameter(value) for name, value in request.data.items()} if hasattr(request.data, "items") else {}
    return {
        "verb": getattr(view, view.action).operation_id,
        "target": target,
        "params": {**body, **dict([*ids.items()][1:])},
    }


def _parameter(value: Any) -> Any:
    """Return the value, or what identifies a file of a form."""
    if not hasattr(value, "chunks"):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return {"filename": value.name, "size": value.size, "sha256": digest.hexdigest()}
