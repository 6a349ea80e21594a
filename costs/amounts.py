"""Amounts, exact to the last digit (rule C-1): whole numbers of trillionths, since SQLite has no exact decimals."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from orjson import Fragment

DECIMALS = 12
TRILLIONTHS = 10**DECIMALS
"""So many parts make a whole unit."""

MAX_AMOUNT = 10**12
MAX_TEXT_DECIMALS = 100
MAX_TEXT_DIGITS = 13 + MAX_TEXT_DECIMALS
FLOAT_DIGITS = 15
"""Every decimal of so many digits survives as a binary float; of longer ones some come back as their neighbours."""

_ALL_DIGITS = Context(prec=MAX_TEXT_DIGITS)
_CLEAN_DIGITS = 13
"""Of a number that was computed in binary, the fifteen good digits end in zeros where it stands for a short decimal."""

DOLLAR_DECIMALS = DECIMALS + 2
_MISSPELT_UNITS = {
    **dict.fromkeys(("usd", "dollar", "dollars", "usdollar", "usdollars", "usddollar", "dollarusd"), "USD"),
    **dict.fromkeys(("cent", "cents", "uscent", "uscents", "usdcent", "usdcents", "centusd", "centsusd"), "cents"),
}
CENTS_PER_UNIT = {"USD": 100, "cents": 1}
"""The units of money, and how many cents one of them is: parts of a cent are whole numbers of 10^-14 dollars."""


def decimal_from_float(number: float) -> Decimal:
    """The decimal that a binary float stands for: 0.1 + 0.2 is 0.3, whatever its last bits say."""
    exact = Decimal(repr(number))
    if len(exact.normalize().as_tuple().digits) <= FLOAT_DIGITS:
        return exact
    near = Decimal(f"{number:.{FLOAT_DIGITS}g}").normalize()
    return near if len(near.as_tuple().digits) <= _CLEAN_DIGITS else exact


def to_trillionths(number: Decimal) -> int:
    """Return the amount in trillionths, the nearest (of two, the even one): what costs by the second have beyond is no money."""
    return int(number.scaleb(DECIMALS, _ALL_DIGITS).to_integral_value(ROUND_HALF_EVEN, _ALL_DIGITS))


def normalize_unit(text: str) -> str:
    """Money has one spelling, whatever the caller's (rule C-2)."""
    return {unit.casefold(): unit for unit in CENTS_PER_UNIT}.get(text.casefold(), text)


def suggest_money_unit(text: str) -> str | None:
    """The unit of money that the text looks like and is not: what is recorded under it would count for no budget."""
    bare = re.sub(r"[\W_]", "", text.casefold().replace("¢", "cent").replace("$", "dollar"))
    return None if normalize_unit(text) in CENTS_PER_UNIT else _MISSPELT_UNITS.get(bare)


def format_amount(number: int, decimals: int = DECIMALS) -> str:
    """The decimal that is `number` times 10^-decimals, written out with all its digits and no zeros behind them."""
    whole, rest = divmod(number, 10**decimals)
    return f"{whole}.{rest:0{decimals}}".rstrip("0").rstrip(".")


def json_amount(number: int, decimals: int = DECIMALS) -> Fragment:
    """The same as a JSON number: a float in between would cost the digits."""
    return Fragment(format_amount(number, decimals).encode())


def format_decimal(number: Decimal) -> str:
    """A decimal without an exponent, and without zeros behind its last digit."""
    return format(number.normalize(), "f")
