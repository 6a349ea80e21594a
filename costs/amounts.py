"""Amounts, exact to the last digit (rule C-1): whole numbers of trillionths, since SQLite has no exact decimals."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from orjson import Fragment

DECIMALS = 12
PARTS = 10**DECIMALS
"""So many parts make a whole unit."""

MOST = 10**12
MOST_DECIMALS_OF_TEXT = 100
MOST_DIGITS_OF_TEXT = 13 + MOST_DECIMALS_OF_TEXT
DIGITS_OF_A_FLOAT = 15
"""Every decimal of so many digits survives as a binary float; of longer ones some come back as their neighbours."""

_ALL_DIGITS = Context(prec=MOST_DIGITS_OF_TEXT)
_CLEAN_DIGITS = 13
"""Of a number that was computed in binary, the fifteen good digits end in zeros where it stands for a short decimal."""

DOLLAR_DECIMALS = DECIMALS + 2
_NEARLY_MONEY = {
    **dict.fromkeys(("usd", "dollar", "dollars", "usdollar", "usdollars", "usddollar", "dollarusd"), "USD"),
    **dict.fromkeys(("cent", "cents", "uscent", "uscents", "usdcent", "usdcents", "centusd", "centsusd"), "cents"),
}
HUNDREDTHS = {"USD": 100, "cents": 1}
"""The units of money, and how many cents one of them is: parts of a cent are whole numbers of 10^-14 dollars."""


def meant_by(number: float) -> Decimal:
    """The decimal that a binary float stands for: 0.1 + 0.2 is 0.3, whatever its last bits say."""
    exact = Decimal(repr(number))
    if len(exact.normalize().as_tuple().digits) <= DIGITS_OF_A_FLOAT:
        return exact
    near = Decimal(f"{number:.{DIGITS_OF_A_FLOAT}g}").normalize()
    return near if len(near.as_tuple().digits) <= _CLEAN_DIGITS else exact


def in_parts(number: Decimal) -> int:
    """Return the amount in trillionths, the nearest (of two, the even one): what costs by the second have beyond is no money."""
    return int(number.scaleb(DECIMALS, _ALL_DIGITS).to_integral_value(ROUND_HALF_EVEN, _ALL_DIGITS))


def unit_named(text: str) -> str:
    """Money has one spelling, whatever the caller's (rule C-2)."""
    return {unit.casefold(): unit for unit in HUNDREDTHS}.get(text.casefold(), text)


def money_meant_by(text: str) -> str | None:
    """The unit of money that the text looks like and is not: what is recorded under it would count for no budget."""
    bare = re.sub(r"[\W_]", "", text.casefold().replace("¢", "cent").replace("$", "dollar"))
    return None if unit_named(text) in HUNDREDTHS else _NEARLY_MONEY.get(bare)


def as_text(number: int, decimals: int = DECIMALS) -> str:
    """The decimal that is `number` times 10^-decimals, written out with all its digits and no zeros behind them."""
    whole, rest = divmod(number, 10**decimals)
    return f"{whole}.{rest:0{decimals}}".rstrip("0").rstrip(".")


def as_json(number: int, decimals: int = DECIMALS) -> Fragment:
    """The same as a JSON number: a float in between would cost the digits."""
    return Fragment(as_text(number, decimals).encode())


def plain(number: Decimal) -> str:
    """A decimal without an exponent, and without zeros behind its last digit."""
    return format(number.normalize(), "f")
