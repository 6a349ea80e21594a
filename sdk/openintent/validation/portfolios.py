"""Portfolios."""

from typing import Any

from ..enums import PortfolioStatus
from ._values import DESCRIPTION_LENGTH, TITLE_LENGTH, mapping, one_of, text, validate_agent_id, validate_whole_number, why

ROLE_LENGTH = 64
PRIORITY = (-(2**31) + 1, 2**31 - 1)


def validate_portfolio(**fields: Any) -> None:
    """Check the `name`, `description`, `governance_policy`, `metadata` and `created_by` of a portfolio, those that are given."""
    if "name" in fields:
        text(fields["name"], "name", TITLE_LENGTH)
    if fields.get("description") is not None:
        text(fields["description"], "description", DESCRIPTION_LENGTH, empty=True)
    for each in ("governance_policy", "metadata"):
        if each in fields:
            mapping(fields[each], each)
    if "created_by" in fields:
        validate_agent_id(fields["created_by"], "created_by")


def validate_portfolio_member(role: str = "member", priority: int = 0) -> None:
    """Check how an intent is to belong to a portfolio: a role of 1 to 64 characters, and a whole number of 32 bits."""
    text(role, "role", ROLE_LENGTH)
    validate_whole_number(priority, "priority", *PRIORITY)


def validate_portfolio_status(status: PortfolioStatus | str, reason: str | None = None) -> None:
    """Check a status to go to, and why: active, completed or abandoned."""
    one_of(status, "status", PortfolioStatus)
    why(reason)
