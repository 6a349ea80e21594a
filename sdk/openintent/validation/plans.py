"""Plans of intents."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InputValidationError
from ._values import require_mapping, require_text
from .intents import validate_intent_create
from .portfolios import validate_portfolio, validate_portfolio_member

PLAN_SIZE = 1000
PLAN_LINKS = 10_000
"""Dependencies, and assignments, of all intents of a plan together."""

REF_LENGTH = 255


def validate_plan(intents: Sequence[Mapping[str, Any]], portfolio: Mapping[str, Any] | None = None) -> None:
    """Check a plan: 1 to 1,000 intents as `validate_intent_create` does, refs that differ, and the portfolio."""
    if not isinstance(intents, Sequence) or not 1 <= len(intents) <= PLAN_SIZE:
        raise InputValidationError(f"intents must be a list of 1 to {PLAN_SIZE:,}", field="intents")
    refs: set[str] = set()
    for index, each in enumerate(intents):
        try:
            _validate_planned_intent(each)
            if (ref := each.get("ref")) in refs:
                raise InputValidationError(f"{ref!r} is the ref of another intent", field="ref")
        except InputValidationError as error:
            raise InputValidationError(f"intents[{index}]: {error}", field=f"intents[{index}].{error.field}") from None
        if ref is not None:
            refs.add(ref)
    if portfolio is not None:
        require_mapping(portfolio, "portfolio")
        validate_portfolio(**portfolio)


def _validate_planned_intent(intent: Mapping[str, Any]) -> None:
    require_mapping(intent, "intent")
    assign = intent.get("assign")
    agents = [assign] if isinstance(assign, (str, Mapping)) else assign or ()
    validate_intent_create(
        intent.get("title", ""),
        intent.get("description"),
        state=intent.get("state"),
        constraints=intent.get("constraints"),
        confidence=intent.get("confidence"),
        assign=[each.get("agent_id", "") if isinstance(each, Mapping) else each for each in agents],
    )
    if intent.get("ref") is not None:
        require_text(intent["ref"], "ref", REF_LENGTH)
    if isinstance(intent.get("depends_on"), str):
        raise InputValidationError("depends_on is a list of refs and ids", field="depends_on")
    validate_portfolio_member(intent.get("role", "member"), intent.get("priority", 0))
