"""Exact amounts (rule C-1): integers of trillionths, since SQLite has no exact decimals."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from orjson import Fragment

DECIMALS = 12
TRILLIONTHS = 10**DECIMALS
"""Trillionths of a unit."""

MAX_AMOUNT = 10**12
MAX_TEXT_DECIMALS = 100
MAX_TEXT_DIGITS = 13 + MAX_TEXT_DECIMALS
FLOAT_DIGITS = 15
"""Decimals of up to this many digits survive as a binary float; some longer ones change their last digit."""

_ALL_DIGITS = Context(prec=MAX_TEXT_DIGITS)
_CLEAN_DIGITS = 13
"""A float that stands for a short decimal has no more digits than this, once it is rounded to FLOAT_DIGITS."""

DOLLAR_DECIMALS = DECIMALS + 2
_MISSPELT_UNITS = {
    **dict.fromkeys(("usd", "dollar", "dollars", "usdollar", "usdollars", "usddollar", "dollarusd"), "USD"),
    **dict.fromkeys(("cent", "cents", "uscent", "uscents", "usdcent", "usdcents", "centusd", "centsusd"), "cents"),
}
CENTS_PER_UNIT = {"USD": 100, "cents": 1}
"""Units of money, and the cents of each: a trillionth of a cent is 10^-14 dollars."""


def decimal_from_float(number: float) -> Decimal:
    """Return the decimal that a binary float stands for: 0.1 + 0.2 is 0.3, despite its last bits."""
    exact = Decimal(repr(number))
    if len(exact.normalize().as_tuple().digits) <= FLOAT_DIGITS:
        return exact
    rounded = Decimal(f"{number:.{FLOAT_DIGITS}g}").normalize()
    return rounded if len(rounded.as_tuple().digits) <= _CLEAN_DIGITS else exact


def to_trillionths(number: Decimal) -> int:
    """Return the amount in trillionths, rounded half-even: smaller fractions are not money."""
    return int(number.scaleb(DECIMALS, _ALL_DIGITS).to_integral_value(ROUND_HALF_EVEN, _ALL_DIGITS))


def normalize_unit(text: str) -> str:
    """Return the canonical spelling of a unit of money, and other units unchanged (rule C-2)."""
    return {unit.casefold(): unit for unit in CENTS_PER_UNIT}.get(text.casefold(), text)


def suggest_money_unit(text: str) -> str | None:
    """Return the unit of money that the text resembles but is not: costs under it would count for no budget."""
    bare = re.sub(r"[\W_]", "", text.casefold().replace("¢", "cent").replace("$", "dollar"))
    return None if normalize_unit(text) in CENTS_PER_UNIT else _MISSPELT_UNITS.get(bare)


def format_amount(number: int, decimals: int = DECIMALS) -> str:
    """Return `number` times 10^-decimals as text, with all its digits and without trailing zeros."""
    whole, rest = divmod(number, 10**decimals)
    return f"{whole}.{rest:0{decimals}}".rstrip("0").rstrip(".")


def json_amount(number: int, decimals: int = DECIMALS) -> Fragment:
    """Return the amount as a JSON number. A float in between would lose digits."""
    return Fragment(format_amount(number, decimals).encode())


def format_decimal(number: Decimal) -> str:
    """Return the decimal without an exponent and trailing zeros."""
    return format(number.normalize(), "f")
