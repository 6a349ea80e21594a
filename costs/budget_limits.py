"""Budget limits in constraints (rules C-3, I-7): parsed for their enforcement and validated for requests.

Constraints are free JSON with a few names that the server enforces. Under those names, and under similar ones, it refuses
what it cannot parse: a limit without effect is worse than none. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

DEFAULT_THRESHOLD = Decimal(80)
MAX_COST, BUDGET, THRESHOLD = "max_cost", "budget", "alert_threshold_percent"
PER_AGENT, PER_CALL = "max_per_agent_cents", "max_per_call_cents"
_IN_CENTS = ("max_total_cents", PER_AGENT, PER_CALL)
_MEMBERS = (*_IN_CENTS, THRESHOLD)

_EXAMPLE = '{"budget": {"max_total_cents": 500}} or {"max_cost": 5.0}'
_A_NUMBER = "must be a number of 0 or more, not text, null or a list: other values are not enforced"
_RULE_NAMES = ("name", "type", "kind", "key", "rule", "constraint", "id")
_RULE_TEXT = re.compile(r"\s*(max_cost|budget\.\w+)\s*(<=?|==?|:)\s*\$?\d|\s*budget\s*(<=?|==?)\s*\$?\d")
_UNITS_OF_MONEY = re.compile(r"(usd|cents?|dollars?)$")
_UNRELATED = frozenset({"maxhost", "maxpost", "maxlost", "maxmost", "maxcast", "gadget", "nudget"})
"""Words that are one letter away from an enforced name, and mean something else."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: `kind` is its key in the constraints; `threshold` the percentage of it that triggers an alert."""

    kind: str
    usd: Decimal
    threshold: Decimal


def intent_limits(constraints: Any) -> list[Limit]:
    """Return the limits in an intent's constraints."""
    return [*_limits(constraints)] if isinstance(constraints, dict) else []


def portfolio_limits(governance_policy: Any) -> list[Limit]:
    """Return the limits in the shared constraints of a portfolio, where a budget may be a plain number in USD."""
    shared = governance_policy.get("shared_constraints") if isinstance(governance_policy, dict) else None
    if not isinstance(shared, dict):
        return []
    return [*_limits(shared), *_limit(BUDGET, shared.get(BUDGET), DEFAULT_THRESHOLD)]


def constraints_schema(*, shared: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of constraints: an object with any keys and valid limits."""
    number = {"type": "number", "minimum": 0}
    budget = {
        "type": "object",
        "properties": {**dict.fromkeys(_IN_CENTS, number), THRESHOLD: {"type": "number", "exclusiveMinimum": 0, "maximum": 100}},
        "additionalProperties": False,
    }
    properties = {MAX_COST: number, BUDGET: {"anyOf": [budget, number]} if shared else budget}
    return {"type": "object", "properties": properties, "additionalProperties": {}}


def limit_values(constraints: Any) -> dict[str, Decimal]:
    """Return each limit's value by its kind and, if there are limits, the threshold: a higher one alerts later."""
    found = intent_limits(constraints)
    return {limit.kind: limit.usd for limit in found} | ({THRESHOLD: found[0].threshold} if found else {})


def limit_errors(constraints: Mapping[str, Any], *, shared: bool = False) -> dict[str, Any]:
    """Return the errors of limits in the constraints, as `{name: message}`, nested for members of a budget.

    `shared` is for those of a portfolio, where a budget may be a plain number in USD.
    """
    problems: dict[str, Any] = {name: message for name in constraints if (message := _misspelling_message(name))}
    if MAX_COST in constraints and _number(constraints[MAX_COST]) is None:
        problems[MAX_COST] = f"{_A_NUMBER}. It is in USD: 5 or 0.05"
    if BUDGET in constraints and (problem := _budget_errors(constraints[BUDGET], MAX_COST in constraints, shared)):
        problems[BUDGET] = problem
    rules = constraints.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):  # They are for agents.
        if isinstance(rule, dict):
            has_number = any(_number(value) is not None for value in rule.values())
            named = [rule[name] for name in _RULE_NAMES if has_number and isinstance(rule.get(name), str)]
            resembles_limit = any(name in (MAX_COST, BUDGET) or _misspelling_message(name) for name in (*rule, *named))
        else:
            resembles_limit = isinstance(rule, str) and _RULE_TEXT.match(rule) is not None
        if resembles_limit:
            problems["rules"] = (
                f"rule {index} resembles a limit, and rules are not enforced. Send constraints as an object: {_EXAMPLE}"
            )
            break
    return problems


def _limits(constraints: dict[str, Any]) -> Iterator[Limit]:
    if MAX_COST not in constraints and BUDGET not in constraints:
        return
    given = constraints.get(BUDGET)
    budget = given if isinstance(given, dict) else {}
    threshold = _threshold(budget.get(THRESHOLD))
    yield from _limit(MAX_COST, constraints.get(MAX_COST), threshold or DEFAULT_THRESHOLD)
    for kind in _IN_CENTS:
        yield from _limit(kind, budget.get(kind), threshold or DEFAULT_THRESHOLD, exponent=-2)


def _limit(kind: str, given: Any, threshold: Decimal, *, exponent: int = 0) -> Iterator[Limit]:
    number = _number(given)
    if number is not None:
        yield Limit(kind, number.scaleb(exponent), threshold)


def _threshold(given: Any) -> Decimal | None:
    number = _number(given)
    return number if number is not None and 0 < number <= 100 else None


def _number(given: Any) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        return None
    return Decimal(repr(given))


def _budget_errors(budget: Any, has_max_cost: bool, shared: bool) -> Any:
    if shared and _number(budget) is not None:
        return None
    if not isinstance(budget, dict):
        number = ", or a number of 0 or more in USD" if shared else ""
        return f"must be an object with {', '.join(_IN_CENTS)}{number}: other values are not enforced. For example: {_EXAMPLE}"
    problems: dict[str, str] = {}
    for name in [each for each in budget if each not in _MEMBERS]:
        similar = get_close_matches(name, _MEMBERS, n=1, cutoff=0.6)
        hint = f"did you mean {similar[0]}?" if similar else f"known: {', '.join(_MEMBERS)}"
        problems[name] = f"is not enforced; {hint}"
    for name in budget.keys() & set(_IN_CENTS):
        if _number(budget[name]) is None:
            problems[name] = f"{_A_NUMBER}. It is in cents: 500"
    if THRESHOLD in budget and _threshold(budget[THRESHOLD]) is None:
        problems[THRESHOLD] = "must be a number above 0 and at most 100: the percentage of the limit that triggers an alert"
    elif THRESHOLD in budget and not problems and not has_max_cost and not budget.keys() & set(_IN_CENTS):
        problems[THRESHOLD] = f"is a percentage of a limit, and none is set. Set one of {', '.join((MAX_COST, *_IN_CENTS))}"
    return problems


def _misspelling_message(name: str) -> str | None:
    """Return a message if the name resembles an enforced one, or belongs into a budget."""
    if name in (MAX_COST, BUDGET):
        return None
    if name in _MEMBERS:
        return f'is not enforced here; put it into budget: {{"budget": {{"{name}": …}}}}'
    bare = re.sub(r"[\W_]", "", name.casefold())
    for known in (MAX_COST, BUDGET):
        plain = known.replace("_", "")
        stem = _UNITS_OF_MONEY.sub("", bare)
        if plain in (bare, stem) or (bare not in _UNRELATED and _is_one_typo_away(bare, plain)):
            return f"is not enforced; did you mean {known}? For example: {_EXAMPLE}"
    return None


def _is_one_typo_away(written: str, meant: str) -> bool:
    """Return whether one letter was added, omitted, replaced or swapped with the next."""
    if abs(len(written) - len(meant)) > 1 or written == meant:
        return False
    shared = next((n for n, (a, b) in enumerate(zip(written, meant, strict=False)) if a != b), min(len(written), len(meant)))
    a, b = written[shared:], meant[shared:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
