"""Amounts of money as the console shows them."""

from collections.abc import Iterable
from decimal import Decimal

CENTS, PARTS = 2, 4
"""Decimals at least: of whole cents, and of amounts with parts of a cent."""


def format_dollars(amount: Decimal | str, decimals: int = CENTS) -> str:
    """Return `$1,234.50` for 1234.5: all of its digits, and two decimals, four if it has more than two, or more for its column."""
    whole = f"{Decimal(amount):f}".partition(".")[0]
    return f"${int(whole):,}.{_digits(amount):0<{max(decimals, count_decimals([amount]))}}"


def count_decimals(amounts: Iterable[Decimal | str]) -> int:
    """Return the decimals with which all the amounts can be shown in one column."""
    most = max((len(_digits(each)) for each in amounts), default=CENTS)
    return CENTS if most <= CENTS else max(most, PARTS)


def _digits(amount: Decimal | str) -> str:
    return f"{Decimal(amount):f}".partition(".")[2].rstrip("0")
