"""Costs."""

from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from ..errors import InputValidationError
from ._values import mapping, text, validate_agent_id

AMOUNT = 10**12
AMOUNT_DECIMALS = 12
NAME_LENGTH = 255
FLOAT_DIGITS = 15
CLEAN_DIGITS = 13  # Where the fifteen good digits of a computed float end in zeros, the rest is noise.

_ALL_DIGITS = Context(prec=1000)


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
    """Check a cost (protocol C-1): a kind, a unit, and an amount from 0 to 10^12 with at most 12 decimals.

    What binary arithmetic leaves behind is taken off: 0.1 + 0.2 is 0.3. A float with more than 15 digits of its own is refused,
    since it may not be the number that was meant: pass a Decimal or text.
    """
    text(cost_type, "cost_type", 100)
    text(unit, "unit", 32)
    number = exact_amount(amount)
    if not 0 <= number <= AMOUNT:
        raise InputValidationError(f"amount must be from 0 to {AMOUNT:,}, not {amount}", field="amount")
    _bounded_decimals(number, amount)
    for value, field in ((provider, "provider"), (model, "model")):
        if value is not None:
            text(value, field, NAME_LENGTH)
    if metadata is not None:
        mapping(metadata, "metadata")
    if agent_id is not None:
        validate_agent_id(agent_id)


def _bounded_decimals(number: Decimal, amount: Any) -> None:
    _, _, exponent = number.normalize(_ALL_DIGITS).as_tuple()
    if not isinstance(exponent, int) or exponent < -AMOUNT_DECIMALS:
        raise InputValidationError(f"amount can have {AMOUNT_DECIMALS} decimals, so {amount} must be rounded", field="amount")


def exact_amount(amount: Any) -> Decimal:
    """The decimal that is meant by an amount. Raises InputValidationError."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float, Decimal, str)):
        raise InputValidationError(f"amount must be a number or text, not {type(amount).__name__}", field="amount")
    try:
        number = _meant_by(amount) if isinstance(amount, float) else Decimal(amount)
    except InvalidOperation:
        raise InputValidationError(f"amount must be a number, not {amount!r}", field="amount") from None
    if not number.is_finite():
        raise InputValidationError(f"amount must be a finite number, not {amount}", field="amount")
    return number


def _meant_by(amount: float) -> Decimal:
    exact = Decimal(repr(amount))
    if not exact.is_finite() or len(exact.normalize(_ALL_DIGITS).as_tuple().digits) <= FLOAT_DIGITS:
        return exact
    near = Decimal(f"{amount:.{FLOAT_DIGITS}g}").normalize()
    if len(near.as_tuple().digits) > CLEAN_DIGITS:
        raise InputValidationError(f"amount has more digits than a float keeps: pass Decimal({str(amount)!r})", field="amount")
    return near
