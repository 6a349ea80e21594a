"""Spending limits in constraints (protocol C-3, I-7): rejects those that the server would reject as unreadable.

The rules are those of the server's `costs/budget_limits.py`; a test compares both.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import InputValidationError
from ._values import suggest

MAX_COST, BUDGET, THRESHOLD = "max_cost", "budget", "alert_threshold_percent"
IN_CENTS = ("max_total_cents", "max_per_agent_cents", "max_per_call_cents")
MEMBERS = (*IN_CENTS, THRESHOLD)

_EXAMPLE = '{"budget": {"max_total_cents": 500}} or {"max_cost": 5.0}'
_A_NUMBER = "must be a number of 0 or more, not text, None or a list: other values are not enforced"
_RULE_NAMES = ("name", "type", "kind", "key", "rule", "constraint", "id")
_RULE_TEXT = re.compile(r"\s*(max_cost|budget\.\w+)\s*(<=?|==?|:)\s*\$?\d|\s*budget\s*(<=?|==?)\s*\$?\d")
_UNITS_OF_MONEY = re.compile(r"(usd|cents?|dollars?)$")
_NOT_MISSPELT = frozenset({"maxhost", "maxpost", "maxlost", "maxmost", "maxcast", "gadget", "nudget"})


def require_readable_limits(constraints: Mapping[str, Any], field: str, *, shared: bool = False) -> None:
    """Raise InputValidationError for a limit that would not be enforced; `shared` constraints are a portfolio's."""
    for name in constraints:
        if message := _suggest_limit(name):
            raise _error(f"{field}.{name}", message)
    if MAX_COST in constraints and not _is_limit(constraints[MAX_COST]):
        raise _error(f"{field}.{MAX_COST}", f"{_A_NUMBER}. It is in USD: 5 or 0.05")
    if BUDGET in constraints and not (shared and _is_limit(constraints[BUDGET])):
        _require_readable_budget(constraints[BUDGET], f"{field}.{BUDGET}", MAX_COST in constraints, shared)
    rules = constraints.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, (list, tuple)) else ()):
        if isinstance(rule, Mapping):
            has_number = any(_is_limit(value) for value in rule.values())
            named = [rule[name] for name in _RULE_NAMES if has_number and isinstance(rule.get(name), str)]
            resembles_limit = any(name in (MAX_COST, BUDGET) or _suggest_limit(name) for name in (*rule, *named))
        else:
            resembles_limit = isinstance(rule, str) and _RULE_TEXT.match(rule) is not None
        if resembles_limit:
            message = f"[{index}] resembles a limit, and rules are not enforced. Pass constraints as a dict: {_EXAMPLE}"
            raise _error(f"{field}.rules", message)


def _require_readable_budget(budget: Any, field: str, has_max_cost: bool, shared: bool) -> None:
    if not isinstance(budget, Mapping):
        number = ", or a number of 0 or more in USD" if shared else ""
        kinds = f"{', '.join(IN_CENTS)}{number}"
        raise _error(field, f"must be a dict with {kinds}: other values are not enforced. For example: {_EXAMPLE}")
    for name, value in budget.items():
        if name not in MEMBERS:
            raise _error(f"{field}.{name}", f"is not enforced; {suggest(name, MEMBERS)}")
        if name != THRESHOLD and not _is_limit(value):
            raise _error(f"{field}.{name}", f"{_A_NUMBER}. It is in cents: 500")
        if name == THRESHOLD and not (_is_limit(value) and 0 < value <= 100):
            message = "must be a number above 0 and at most 100: the percentage of the limit that triggers an alert"
            raise _error(f"{field}.{name}", message)
    if THRESHOLD in budget and not has_max_cost and not budget.keys() & set(IN_CENTS):
        limits = ", ".join((MAX_COST, *IN_CENTS))
        raise _error(f"{field}.{THRESHOLD}", f"is a percentage of a limit, and none is set. Set one of {limits}")


def _error(field: str, message: str) -> InputValidationError:
    return InputValidationError(f"{field} {message}", field=field)


def _is_limit(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _suggest_limit(name: str) -> str | None:
    if name in (MAX_COST, BUDGET):
        return None
    if name in MEMBERS:
        return f'is not enforced here; put it into budget: {{"budget": {{"{name}": …}}}}'
    bare = re.sub(r"[\W_]", "", name.casefold())
    for known in (MAX_COST, BUDGET):
        plain = known.replace("_", "")
        if plain in (bare, _UNITS_OF_MONEY.sub("", bare)) or (bare not in _NOT_MISSPELT and _is_one_edit_away(bare, plain)):
            return f"is not enforced; did you mean {known}? For example: {_EXAMPLE}"
    return None


def _is_one_edit_away(written: str, meant: str) -> bool:
    """Return whether one letter was added, left out, replaced or swapped with its neighbour."""
    if abs(len(written) - len(meant)) > 1 or written == meant:
        return False
    shared = next((n for n, (a, b) in enumerate(zip(written, meant, strict=False)) if a != b), min(len(written), len(meant)))
    a, b = written[shared:], meant[shared:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
