"""Costs."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from ..errors import InputValidationError
from ._values import require_mapping, require_text, validate_agent_id

AMOUNT = 10**12
AMOUNT_DECIMALS = 12
NAME_LENGTH = 255
FLOAT_DIGITS = 15
CLEAN_DIGITS = 13  # Where the fifteen good digits of a computed float end in zeros, the rest is noise.

_ALL_DIGITS = Context(prec=1000)
_SMALLEST = Decimal(1).scaleb(-AMOUNT_DECIMALS)
_NEARLY_MONEY = {
    **dict.fromkeys(("usd", "dollar", "dollars", "usdollar", "usdollars", "usddollar", "dollarusd"), "USD"),
    **dict.fromkeys(("cent", "cents", "uscent", "uscents", "usdcent", "usdcents", "centusd", "centsusd"), "cents"),
}


def validate_cost(
    cost_type: str,
    amount: "int | float | Decimal | str",
    unit: str = "USD",
    *,
    provider: str | None = None,
    model: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    agent_id: str | None = None,
) -> None:
    """Check a cost (protocol C-1): a type, a unit, and an amount from 0 to 10^12, which is stored with 12 decimals.

    Noise of binary arithmetic is removed: 0.1 + 0.2 is 0.3. More decimals are rounded, half to even; an amount that would be
    rounded to zero is rejected, as is a unit that only looks like money and would count for no budget.
    """
    require_text(cost_type, "cost_type", 100)
    require_text(unit, "unit", 32)
    bare = re.sub(r"[\W_]", "", unit.casefold().replace("¢", "cent").replace("$", "dollar"))
    if unit.casefold() not in ("usd", "cents") and (near := _NEARLY_MONEY.get(bare)):
        raise InputValidationError(f"unit {unit!r} is not counted as money; did you mean {near!r}?", field="unit")
    number = exact_amount(amount)
    if not 0 <= number <= AMOUNT:
        raise InputValidationError(f"amount must be from 0 to {AMOUNT:,}, not {amount}", field="amount")
    for value, field in ((provider, "provider"), (model, "model")):
        if value is not None:
            require_text(value, field, NAME_LENGTH)
    if metadata is not None:
        require_mapping(metadata, "metadata")
    if agent_id is not None:
        validate_agent_id(agent_id)


def exact_amount(amount: Any) -> Decimal:
    """Return the amount as a decimal, rounded to 12 decimals. Raises InputValidationError."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float, Decimal, str)):
        raise InputValidationError(f"amount must be a number or text, not {type(amount).__name__}", field="amount")
    try:
        number = Decimal(repr(amount) if isinstance(amount, float) else amount)
    except InvalidOperation:
        raise InputValidationError(f"amount must be a number, not {amount!r}", field="amount") from None
    if not number.is_finite():
        raise InputValidationError(f"amount must be a finite number, not {amount}", field="amount")
    if isinstance(amount, float) and len(number.normalize(_ALL_DIGITS).as_tuple().digits) > FLOAT_DIGITS:
        near = Decimal(f"{amount:.{FLOAT_DIGITS}g}").normalize()
        number = near if len(near.as_tuple().digits) <= CLEAN_DIGITS else number
    if abs(number) > AMOUNT:
        return number
    kept = number.quantize(_SMALLEST, ROUND_HALF_EVEN, _ALL_DIGITS)
    if number and not kept:
        raise InputValidationError(f"amount {amount} would be rounded to zero: add up several amounts first", field="amount")
    return kept
