"""Amounts of money as the console shows them."""

from decimal import Decimal


def format_dollars(amount: Decimal | str) -> str:
    """Return `$1,234.50` for 1234.5: all of its digits, and two decimals, or four if it has more than two."""
    whole, _, rest = f"{Decimal(amount):f}".partition(".")
    return f"${int(whole):,}.{rest:0<{2 if len(rest) <= 2 else 4}}"
